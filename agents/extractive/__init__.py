"""The built-in extractive writer, for a studio without a model: it selects, orders and quotes sentences of the sources.

Each function answers one task of the crew with a model of ``agents.contract``, so the pipeline is the same as with a language
model. Heavy libraries are imported when they are first used.
"""

from agents.extractive.writer import describe_seo, find, lead, picture_prompt, plan, plan_questions, write_section

__all__ = ["describe_seo", "find", "lead", "picture_prompt", "plan", "plan_questions", "write_section"]
