"""Conclusions of the article's own: drawn while the plan is made, and shown with the section that says them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from agents.contract import Conclusion, Finding, Outline
from agents.crew.crew import StudioCrew
from agents.exceptions import ApprovalRequired
from agents.pipeline.outline import make_outline
from agents.pipeline.research import ResearchMaterial
from agents.text.planned_outline import section_of
from tests import prompts
from tests.agents.recipes import MemoryJournal, make_context, outline_of, plan_of, reading
from tests.model_server import ModelServer

HEADINGS = ["What the rain does", "What a roof has to bear", "What to ask the engineer"]
FINDINGS = [
    Finding(number=1, statement="A planted roof holds 60 % of the rain.", sources=["S1"]),
    Finding(number=2, statement="A saturated bed weighs as much as a car.", sources=["S2"]),
]
MATERIAL = ResearchMaterial(questions=[], reading=reading(), findings=FINDINGS)
DRAWN: list[dict[str, Any]] = [
    {"statement": "Ten roofs hold six roofs' rain.", "findings": [1], "is_advice": False},
    {"statement": "Weigh a wet bed before you buy ten.", "findings": [2], "is_advice": True},
]


def outline() -> Outline:
    made = outline_of(*HEADINGS)
    made.sections[0].findings, made.sections[1].findings = [1, 3], [2]
    return made


@pytest.mark.parametrize(
    ("statement", "findings", "is_advice", "section"),
    [
        ("Half of it runs off.", [1], False, 1),
        ("Half of it runs off.", [2], False, 2),
        ("Half of it runs off.", [1], True, 3),
        ("Half of it runs off.", [], False, 3),
        ("A roof has to bear a car.", [1, 2], False, 2),
        ("The rain does it.", [1, 2], False, 1),
        ("Ask the engineer.", [], False, 3),
    ],
)
def test_it_belongs_to_the_section_with_its_findings_and_words(
    statement: str, findings: list[int], is_advice: bool, section: int
) -> None:
    conclusion = Conclusion(statement=statement, findings=findings, is_advice=is_advice)
    assert section_of(conclusion, outline()) == section


async def test_writers_see_them_with_the_plan(crew: StudioCrew, model_server: ModelServer) -> None:
    model_server.fail(match=prompts.PLAN, text=plan_of(*HEADINGS))
    model_server.fail(match=prompts.CONCLUDE, text=json.dumps({"conclusions": DRAWN}))
    context = make_context(crew)
    made = await make_outline(context, MATERIAL)
    assert [each.statement for each in context.conclusions] == [each["statement"] for each in DRAWN]
    plan = context.shared(FINDINGS, made)[-1]
    assert "- Weigh a wet bed before you buy ten. (3)" in plan
    assert "- Ten roofs hold six roofs' rain. (" in plan
    (prompt,) = model_server.prompts(prompts.CONCLUDE)
    assert "A saturated bed weighs as much as a car." in prompt
    assert "Draw up to 4 such conclusions" in prompt, "for 600 words"


async def test_without_conclusions_the_plan_does_not_speak_of_them(crew: StudioCrew) -> None:
    assert "conclude" not in make_context(crew).shared(FINDINGS, outline())[-1]


async def test_they_are_kept_while_the_outline_waits_for_a_person(crew: StudioCrew, model_server: ModelServer) -> None:
    journal = MemoryJournal()
    model_server.fail(match=prompts.CONCLUDE, text=json.dumps({"conclusions": DRAWN}))
    with pytest.raises(ApprovalRequired):
        await make_outline(make_context(crew, journal=journal, approve_outline=True), MATERIAL)
    journal.done["outline:approved"] = outline().model_dump(mode="json")
    calls = len(model_server.calls)
    context = make_context(crew, journal=journal, approve_outline=True)
    await make_outline(context, MATERIAL)
    assert [each.statement for each in context.conclusions] == [each["statement"] for each in DRAWN]
    assert len(model_server.calls) == calls


async def test_none_are_drawn_from_nothing(crew: StudioCrew, model_server: ModelServer) -> None:
    journal = MemoryJournal()
    context = make_context(crew, journal=journal)
    await make_outline(context, ResearchMaterial(questions=[], reading=reading(), findings=[]))
    assert not model_server.prompts(prompts.CONCLUDE)
    assert journal.planned["outline"] == len(journal.steps("outline")) == 2


async def test_they_are_a_step_of_the_progress(crew: StudioCrew) -> None:
    journal = MemoryJournal()
    await make_outline(make_context(crew, journal=journal), MATERIAL)
    assert journal.planned["outline"] == len(journal.steps("outline")) == 3
