"""Assignments of research and outline: questions, findings, the plan and the check of its answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field, create_model

from agents import extractive
from agents.contract import (
    AnswerCheck,
    Brief,
    Finding,
    FoundFacts,
    Passage,
    ProposedOutline,
    ProposedSection,
    Questions,
)
from agents.crew.assignments.base import Assignment
from agents.prompts import config
from agents.text.prompt_fields import bullet_list, language_name
from agents.text.quoting import quote

MIN_QUESTIONS = 3
Shared = tuple[str, ...]


def plan_research(shared: Shared, brief: Brief, questions: int, languages: Sequence[str] = ()) -> Assignment[Questions]:
    """``questions`` questions, in the language of the brief and in ``languages``, those of the sources."""
    several = Annotated[list[str], Field(min_length=MIN_QUESTIONS, max_length=3 * questions)]
    shape = create_model("Questions", __base__=Questions, questions=(several, ...))
    names = [language_name(tag) for tag in dict.fromkeys([brief.language, *languages])]
    also = f" Give each question in each of these languages: {', '.join(names)}." if len(names) > 1 else ""
    fields: dict[str, object] = {"count": questions * len(names), "languages": also}
    return Assignment("plan_research", shape, fields, lambda: extractive.plan_questions(brief), shared)


def find(
    shared: Shared,
    brief: Brief,
    passages: Sequence[Passage],
    sources: Sequence[int],
    groups: int,
    count: int,
    noticed: Sequence[str] = (),
) -> Assignment[FoundFacts]:
    """Up to ``count`` findings of ``sources``, which are one of ``groups`` parts of the reading.

    ``noticed`` are the conflicts between passages that code sees.
    """
    which = f"sources {', '.join(map(str, sources))}" if groups > 1 else "the sources"
    fields: dict[str, object] = {
        "count": count,
        "which": which,
        "language": language_name(brief.language),
        "noticed": config("writing")["noticed"].format(conflicts=bullet_list(noticed)) if noticed else "",
    }
    of_group = [passage for passage in passages if passage.source in set(sources)]
    return Assignment("find", FoundFacts, fields, lambda: extractive.find(brief, of_group, count), shared)


def make_plan(
    shared: Shared, brief: Brief, passages: Sequence[Passage], sections: int, findings: Sequence[Finding] = ()
) -> Assignment[ProposedOutline]:
    """The answer, the title and ``sections`` sections. The built-in writer distributes ``passages`` and ``findings``."""
    wish = f"The plan before this one was not what was wanted: {brief.outline_wish}\n" if brief.outline_wish else ""
    fields = plan_fields(brief, sections) | {"wish": wish}
    return Assignment(
        "make_plan",
        plan_schema(sections),
        fields,
        lambda: extractive.plan(brief, findings, passages, sections),
        shared,
    )


def make_plan_again(
    shared: Shared, brief: Brief, made: ProposedOutline, problems: Sequence[str], sections: int
) -> Assignment[ProposedOutline]:
    """The plan corrected; ``problems`` are sentences that say what is wrong with it."""
    fields = plan_fields(brief, sections) | {
        "plan": quote(made.model_dump_json(indent=1)),
        "problems": bullet_list(problems),
    }
    return Assignment("make_plan_again", plan_schema(sections), fields, lambda: made, shared)


def plan_fields(brief: Brief, sections: int) -> dict[str, object]:
    return {
        "count": sections,
        "words": brief.min_words,
        "language": language_name(brief.language),
    }


def plan_schema(sections: int) -> type[ProposedOutline]:
    """Asks for exactly that many sections. An answer with another number is still valid: it is corrected later."""
    count = {"minItems": sections, "maxItems": sections}
    several = Annotated[list[ProposedSection], Field(min_length=1, max_length=100, json_schema_extra=count)]
    return create_model("ProposedOutline", __base__=ProposedOutline, sections=(several, ...))


def check_answer(shared: Shared, brief: Brief, answer: str) -> Assignment[AnswerCheck]:
    fields: dict[str, object] = {"answer": quote(answer), "language": language_name(brief.language)}
    unchanged = AnswerCheck(problem="", answer=answer)
    return Assignment("check_answer", AnswerCheck, fields, lambda: unchanged, shared)
