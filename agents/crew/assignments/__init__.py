"""The tasks of the agents: which prompt of ``config/tasks.yaml``, its fields, the schema of the answer, and the answer of the
built-in writer, which is used if no model is configured.
"""

from agents.crew.assignments.base import Assignment, Reply
from agents.crew.assignments.describing import answer_questions, describe_again, describe_seo, picture_prompt
from agents.crew.assignments.editing import (
    choose_draft,
    improve_sections,
    judge,
    judge_again,
    judge_frame,
    proofread,
    write_lead,
)
from agents.crew.assignments.planning import (
    check_answer,
    find,
    make_plan,
    make_plan_again,
    plan_research,
)
from agents.crew.assignments.writing import (
    extend_section,
    rewrite_section,
    write_article,
    write_section,
    write_sections,
)

__all__ = [
    "Assignment",
    "Reply",
    "answer_questions",
    "check_answer",
    "choose_draft",
    "describe_again",
    "describe_seo",
    "extend_section",
    "find",
    "improve_sections",
    "judge",
    "judge_again",
    "judge_frame",
    "make_plan",
    "make_plan_again",
    "picture_prompt",
    "plan_research",
    "proofread",
    "rewrite_section",
    "write_article",
    "write_lead",
    "write_section",
    "write_sections",
]
