"""The built-in writer: articles made of sentences that were really read, for a studio that has no model.

It chooses, orders and quotes; it never invents a sentence. Each function answers one task of the crew in the shapes of
``agents.contract``, so that the pipeline around it is the same one a model is asked by. Importing it costs nothing heavy.
"""

from agents.extractive.writer import (
    describe_seo,
    find,
    headings,
    make_outline,
    picture_prompt,
    plan_questions,
    plan_section,
    review,
    synthesise,
    write_section,
)

__all__ = [
    "describe_seo",
    "find",
    "headings",
    "make_outline",
    "picture_prompt",
    "plan_questions",
    "plan_section",
    "review",
    "synthesise",
    "write_section",
]
