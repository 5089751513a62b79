"""Phrases that identify the prompt of each task of ``agents/config/tasks.yaml``, for tests that script a model's answers.

``tests/agents/test_crew.py`` checks that each occurs in the prompt of its task and in no other.
"""

QUESTIONS = "questions that this article has to answer"
FIND = "findings that a reader of this article needs"
PLAN = "Outline the article, about"
PLAN_AGAIN = "Correct this outline of the article"
ANSWER = "The article will be built on this answer"
WRITE = "The outline is a colleague's proposal"
WRITE_SECTION = "The other sections are written already"
WRITE_ARTICLE = "Write a detailed article on the topic"
CHOOSE = "Two writers drafted the article"
PROOFREAD = "Several people edited the article above"
REWRITE = "Correct section "
EXTEND = "is too short by a paragraph"
EDIT = "make this part of it better by exact"
LEAD = "Write the title and the lead"
JUDGE = "Check these sentences of"
JUDGE_AGAIN = "were rewritten. Check them"
FRAME = "These lines stand around the article"
DESCRIBE = "Describe the article above for search"
DESCRIBE_AGAIN = "Put this description of an article right"
ASK = "may come with questions"
PICTURE = "Choose the picture"

OF_TASK = {
    "plan_research": QUESTIONS,
    "find": FIND,
    "make_plan": PLAN,
    "make_plan_again": PLAN_AGAIN,
    "check_answer": ANSWER,
    "write_section": WRITE_SECTION,
    "write_sections": WRITE,
    "write_article": WRITE_ARTICLE,
    "choose_draft": CHOOSE,
    "proofread": PROOFREAD,
    "rewrite_section": REWRITE,
    "extend_section": EXTEND,
    "improve_sections": EDIT,
    "write_lead": LEAD,
    "judge": JUDGE,
    "judge_again": JUDGE_AGAIN,
    "judge_frame": FRAME,
    "describe_seo": DESCRIBE,
    "describe_again": DESCRIBE_AGAIN,
    "answer_questions": ASK,
    "picture_prompt": PICTURE,
}
"""Task → its phrase."""

ALL = r"all \d+ sections"
NUMBERED = r"sections? (\d+)(?: to \d+)?"
"""How a prompt names the sections of a part; the group is the first of them."""


def write(number: int) -> str:
    """The phrase of the prompt to write section ``number``."""
    return f"Write section {number} of "
