"""The outline: as many sections as the length needs, in the language of the brief, built on an answer that was checked."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from agents.contract import Brief, Finding, Outline, Plan
from agents.crew.crew import StudioCrew
from agents.exceptions import ApprovalRequired, ModelError
from agents.pipeline.outline import make_outline, plan_for
from agents.pipeline.steps import StepKey
from agents.text.headings import fit_headings, heading_problems
from tests import prompts
from tests.agents.recipes import MemoryJournal, make_context, older_plan_of, outline_of, plan_of
from tests.model_client import client_of
from tests.model_server import ModelServer

ORDINALS = ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth"]
EIGHT = [f"What the {ordinal} roof shows" for ordinal in ORDINALS]
VIETNAMESE = [
    "Vì sao mái nhà của thành phố đang bị bỏ quên",
    "Mái xanh giữ lại bao nhiêu nước mưa vào mùa hè",
    "Điều cần hỏi kỹ sư trước khi mang đất lên mái nhà",
]
FINDINGS = [
    Finding(number=1, statement="A planted roof holds 60 % of the rain.", sources=["S1"]),
    Finding(number=2, statement="A saturated bed weighs as much as a car.", sources=["S2"]),
    Finding(number=3, statement="An engineer looks at the beams.", sources=["S3"]),
]
FOUND = {"research:find:1": {"findings": [finding.model_dump(mode="json") for finding in FINDINGS]}}
"""What a journal has once the only source is read closely."""


async def approvable(crew: StudioCrew, journal: MemoryJournal | None = None) -> Outline:
    """The outline that a person is asked to approve."""
    context = make_context(crew, journal=journal or MemoryJournal(done={**FOUND}), approve_outline=True)
    with pytest.raises(ApprovalRequired) as waiting:
        await make_outline(context)
    return waiting.value.outline


async def planned(crew: StudioCrew, wanted: int, **brief: Any) -> Plan:
    answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    return await plan_for(make_context(crew, **brief), wanted, StepKey("outline", "plan"), answer, [])


def headings(made: Plan) -> list[str]:
    return [section.heading for section in made.sections]


class TestHeadings:
    async def test_a_plan_without_problems_is_requested_once(self, crew: StudioCrew, model_server: ModelServer) -> None:
        model_server.fail(match=prompts.PLAN, text=plan_of(*EIGHT[:7]))
        assert headings(await planned(crew, 8)) == EIGHT[:7]
        assert not model_server.prompts(prompts.PLAN_AGAIN)

    @pytest.mark.parametrize(
        ("made", "problem"),
        [
            (EIGHT[:2], "There are 2 headings; exactly 8 are needed."),
            ([f"{heading} in year {year}" for year in (1, 2) for heading in EIGHT], "There are 16 headings"),
            ([*EIGHT[:7], EIGHT[0].upper()], "used more than once"),
        ],
    )
    async def test_the_model_is_shown_the_problems_and_corrects_them(
        self, crew: StudioCrew, model_server: ModelServer, made: list[str], problem: str
    ) -> None:
        model_server.fail(match=prompts.PLAN, text=plan_of(*made))
        model_server.fail(match=prompts.PLAN_AGAIN, text=plan_of(*EIGHT))
        assert headings(await planned(crew, 8)) == EIGHT
        (prompt,) = model_server.prompts(prompts.PLAN_AGAIN)
        assert problem in prompt

    async def test_of_too_many_the_first_are_kept(self, crew: StudioCrew, model_server: ModelServer) -> None:
        for task in (prompts.PLAN, prompts.PLAN_AGAIN):
            model_server.fail(match=task, text=plan_of(*EIGHT))
        made = await planned(crew, 3)
        assert headings(made) == EIGHT[:3]

    async def test_too_few_are_a_failure_that_gives_both_numbers(
        self, crew: StudioCrew, model_server: ModelServer
    ) -> None:
        for task in (prompts.PLAN, prompts.PLAN_AGAIN):
            model_server.fail(match=task, text=plan_of(*EIGHT[:2]))
        with pytest.raises(ModelError, match="2 of the 8 sections that 1,500 words need"):
            await planned(crew, 8, min_words=1500)

    async def test_headings_in_another_language_are_corrected(
        self, crew: StudioCrew, model_server: ModelServer
    ) -> None:
        title = "Những mái nhà xanh có thể làm gì cho thành phố"
        model_server.fail(match=prompts.PLAN, text=plan_of("Why the roofs of cities are forgotten", *EIGHT[:2]))
        model_server.fail(match=prompts.PLAN_AGAIN, text=plan_of(*VIETNAMESE, title=title))
        made = await planned(crew, 3, language="vi")
        assert (made.title, headings(made)) == (title, VIETNAMESE)
        assert "not in the language asked for" in model_server.prompts(prompts.PLAN_AGAIN)[0]

    async def test_a_correction_that_is_worse_is_not_taken(self, crew: StudioCrew, model_server: ModelServer) -> None:
        model_server.fail(match=prompts.PLAN, text=plan_of(*EIGHT[:6]))
        model_server.fail(match=prompts.PLAN_AGAIN, text=plan_of(EIGHT[0], EIGHT[0]))
        assert headings(await planned(crew, 8)) == EIGHT[:6]

    async def test_a_server_that_enforces_the_schema_gets_the_count(
        self, crew: StudioCrew, model_server: ModelServer
    ) -> None:
        await planned(crew, 8)
        (call,) = model_server.calls
        form = call.body["response_format"]["json_schema"]["schema"]["properties"]["sections"]
        assert (form["minItems"], form["maxItems"]) == (8, 8)

    def test_they_are_cleaned_and_within_their_length(self) -> None:
        made = ["1. Rain stays.", "Rain stays", "Heat " * 40, "Who pays"]
        fitted = fit_headings("  What roofs can do.", made, 3, Brief(topic="Rooftop gardens"))
        assert fitted.title == "What roofs can do"
        assert fitted.sections[0] == "Rain stays"
        assert fitted.sections[2] == "Who pays"
        assert len(fitted.sections[1]) <= 120
        assert heading_problems(fitted.title, fitted.sections, 3, "en") == []

    def test_a_title_that_is_too_short_gives_way_to_the_topic(self) -> None:
        fitted = fit_headings("1. Hm.", ["Rain stays", "Who pays"], 2, Brief(topic="Rooftop gardens"))
        assert fitted.title == "Rooftop gardens"

    async def test_the_wish_for_another_outline_is_in_the_prompt(
        self, crew: StudioCrew, model_server: ModelServer
    ) -> None:
        await planned(crew, 3, outline_wish="Begin with what it costs.")
        assert "was not what was wanted: Begin with what it costs." in model_server.prompts(prompts.PLAN)[0]


class TestAnswer:
    """It is shown to a person who approves the outline, so it is checked before."""

    async def test_without_approval_it_is_not_checked(self, crew: StudioCrew, model_server: ModelServer) -> None:
        """The finished text is."""
        journal = MemoryJournal()
        model_server.fail(match=prompts.PLAN, text=plan_of(*EIGHT[:3], answer="Roofs hold all rain."))
        outline, _ = await make_outline(make_context(crew, journal=journal))
        assert (outline.answer, outline.caveat) == ("Roofs hold all rain.", "")
        assert not model_server.prompts(prompts.ANSWER)
        assert journal.planned["outline"] == len(journal.steps("outline")) == 1

    async def test_it_is_corrected_before_the_sections_are_written(
        self, crew: StudioCrew, model_server: ModelServer
    ) -> None:
        model_server.fail(match=prompts.PLAN, text=plan_of(*EIGHT[:3], answer="Roofs hold all rain. Always."))
        check = {"problem": "The passages say 60 %.", "answer": "Roofs hold 60 % of the rain.\nWeight decides."}
        model_server.fail(match=prompts.ANSWER, text=json.dumps(check))
        outline = await approvable(crew)
        assert outline.answer == "Roofs hold 60 % of the rain. Weight decides."
        assert outline.caveat == "The passages say 60 %."
        (prompt,) = model_server.prompts(prompts.ANSWER)
        assert "Roofs hold all rain. Always." in prompt
        shown = make_context(crew).shared(outline)[-1]
        assert "The answer in short: Roofs hold 60 % of the rain. Weight decides." in shown
        assert "no section may repeat: The passages say 60 %." in shown
        assert "all rain" not in shown

    async def test_an_empty_correction_leaves_it(self, crew: StudioCrew, model_server: ModelServer) -> None:
        model_server.fail(match=prompts.PLAN, text=plan_of(*EIGHT[:3], answer="Roofs hold rain."))
        model_server.fail(match=prompts.ANSWER, text='{"problem": "", "answer": " "}')
        outline = await approvable(crew)
        assert (outline.answer, outline.caveat) == ("Roofs hold rain.", "")

    async def test_it_is_checked_while_the_rest_of_the_plan_is_generated(self, crew: StudioCrew) -> None:
        with ModelServer(token_seconds=0.02) as slow:
            slow.fail(match=prompts.PLAN, text=plan_of(*EIGHT[:3]))
            async with client_of(slow.url) as client:
                slow_crew = StudioCrew.with_models(dict.fromkeys(crew._agents, "m"), client, asyncio.Semaphore(8))
                await approvable(slow_crew)
            (plan,) = [call for call in slow.calls if prompts.PLAN in call.prompt]
            (check,) = [call for call in slow.calls if prompts.ANSWER in call.prompt]
        assert plan.at < check.at < plan.ended

    @pytest.mark.parametrize("crash", [False, True], ids=["at once", "after a crash between plan and check"])
    async def test_the_answer_of_a_corrected_plan_is_checked_itself(
        self, crew: StudioCrew, model_server: ModelServer, crash: bool
    ) -> None:
        journal = MemoryJournal(done={**FOUND})
        model_server.fail(match=prompts.PLAN, text=plan_of(*EIGHT[:1], answer="The first answer."))
        model_server.fail(match=prompts.PLAN_AGAIN, text=plan_of(*EIGHT[:3], answer="The second answer."))
        model_server.fail(match="The first answer.\n", text='{"problem": "", "answer": "The first, checked."}')
        model_server.fail(match="The second answer.\n", text='{"problem": "", "answer": "The second, checked."}')
        made = await approvable(crew, journal)
        assert made.answer == "The second, checked."
        if crash:
            del journal.done["outline:answer:again-1"]
            model_server.fail(match=prompts.ANSWER, text='{"problem": "", "answer": "The second, checked."}')
        calls = len(model_server.calls)
        again = await approvable(crew, journal)
        assert again == made
        assert len(model_server.calls) == calls + crash

    async def test_a_plan_that_fails_ends_the_check_as_well(self, crew: StudioCrew, model_server: ModelServer) -> None:
        model_server.fail(match=prompts.PLAN, status=401)
        before = asyncio.all_tasks()
        with pytest.raises(ModelError, match="OPENAI_API_KEY"):
            await approvable(crew)
        assert asyncio.all_tasks() == before

    async def test_without_passages_there_is_nothing_to_check_it_against(
        self, crew: StudioCrew, model_server: ModelServer
    ) -> None:
        context = make_context(crew, approve_outline=True)
        context.show(context.reading, [])
        with pytest.raises(ApprovalRequired):
            await make_outline(context)
        assert not model_server.prompts(prompts.ANSWER)


async def test_findings_are_found_while_the_outline_is_made(crew: StudioCrew) -> None:
    with ModelServer(token_seconds=0.02) as slow:
        async with client_of(slow.url) as client:
            slow_crew = StudioCrew.with_models(dict.fromkeys(crew._agents, "m"), client, asyncio.Semaphore(8))
            _, findings = await make_outline(make_context(slow_crew))
        (plan,) = [call for call in slow.calls if prompts.PLAN in call.prompt]
        (find,) = [call for call in slow.calls if prompts.FIND in call.prompt]
    assert findings
    assert max(plan.at, find.at) < min(plan.ended, find.ended)


class TestApproval:
    async def test_the_checked_outline_waits_for_a_person(self, crew: StudioCrew, model_server: ModelServer) -> None:
        model_server.fail(match=prompts.ANSWER, text='{"problem": "Too much.", "answer": "Roofs hold some rain."}')
        outline = await approvable(crew)
        assert outline.answer == "Roofs hold some rain."
        assert sum(section.words for section in outline.sections) == 600
        owned = [number for section in outline.sections for number in section.findings]
        assert sorted(owned) == [1, 2, 3]
        assert sum(len(section.points) for section in outline.sections) == 3, "each is a point a person can edit"

    async def test_what_the_person_approved_is_used_without_another_call(
        self, crew: StudioCrew, model_server: ModelServer
    ) -> None:
        approved = outline_of("A heading of mine", "Another", words=300, points=["Say this."], findings=[3])
        journal = MemoryJournal(done={"outline:approved": approved.model_dump(mode="json"), **FOUND})
        assert await make_outline(make_context(crew, journal=journal, approve_outline=True)) == (approved, FINDINGS)
        assert model_server.calls == []

    async def test_one_of_an_older_version_is_read(self, crew: StudioCrew, model_server: ModelServer) -> None:
        sections = [{"heading": heading, "purpose": "Why.", "points": ["P"]} for heading in ("Rain", "Heat", "Cost")]
        older = {"title": "Roofs of the city", "sections": sections}
        journal = MemoryJournal(done={"outline:approved": older, **FOUND})
        outline, _ = await make_outline(make_context(crew, journal=journal))
        assert (outline.answer, outline.sections[0].form) == ("", "prose")
        assert [section.words for section in outline.sections] == [200, 200, 200], "their share of the length"
        assert model_server.calls == []


class TestOlderVersions:
    """A run that an older version began keeps its outline, because sections of it may be written already."""

    OLD = {"title": "Roofs of the city", "sections": ["What roofs hold", "Who pays"]}
    PLANS = {f"outline:{n}": {"purpose": "Why.", "points": ["A point"], "sources": ["S1"]} for n in (1, 2)}

    async def test_its_outline_is_read(self, crew: StudioCrew, model_server: ModelServer) -> None:
        journal = MemoryJournal(done={"outline:make": self.OLD, **self.PLANS, **FOUND})
        outline, _ = await make_outline(make_context(crew, journal=journal))
        assert [(each.heading, each.points, each.words) for each in outline.sections] == [
            ("What roofs hold", ["A point"], 300),
            ("Who pays", ["A point"], 300),
        ]
        assert model_server.calls == []

    async def test_one_of_a_single_step_is_read(self, crew: StudioCrew, model_server: ModelServer) -> None:
        whole = {"title": "Roofs of the city", "sections": [{"heading": each} for each in ("Rain", "Heat")]}
        journal = MemoryJournal(done={"outline:make": whole, **FOUND})
        outline, _ = await make_outline(make_context(crew, journal=journal))
        assert [each.heading for each in outline.sections] == ["Rain", "Heat"]
        assert model_server.calls == []

    async def test_a_plan_with_forms_words_and_findings_is_read(
        self, crew: StudioCrew, model_server: ModelServer
    ) -> None:
        """The previous version planned from the findings, and checked every answer."""
        plan = older_plan_of("What roofs hold", "Who pays", findings=[[3], [1]], dismissed={2: "Old"})
        checked = {"planned": plan["answer"], "problem": "Too much.", "answer": "Roofs hold some rain."}
        journal = MemoryJournal(done={"outline:plan": plan, "outline:answer": checked, **FOUND})
        outline, findings = await make_outline(make_context(crew, journal=journal))
        assert [section.findings for section in outline.sections] == [[3], [1]]
        assert [each.finding for each in outline.dismissed] == [2]
        assert (outline.answer, outline.caveat) == ("Roofs hold some rain.", "Too much.")
        assert (len(outline.questions), len(outline.terms), findings) == (1, 1, FINDINGS)
        assert model_server.calls == []

    async def test_an_incomplete_one_is_planned_again(self, crew: StudioCrew, model_server: ModelServer) -> None:
        journal = MemoryJournal(done={"outline:make": self.OLD, "outline:1": self.PLANS["outline:1"]})
        await make_outline(make_context(crew, journal=journal))
        assert len(model_server.prompts(prompts.PLAN)) == 1

    async def test_one_to_approve_waits(self, crew: StudioCrew) -> None:
        journal = MemoryJournal(done={"outline:make": self.OLD, **self.PLANS, **FOUND})
        with pytest.raises(ApprovalRequired) as waiting:
            await make_outline(make_context(crew, journal=journal, approve_outline=True))
        assert waiting.value.outline.title == "Roofs of the city"


async def test_the_built_in_writer_plans_without_a_check() -> None:
    context = make_context(StudioCrew.without_model())
    context.dependencies = context.dependencies.__class__(**{**vars(context.dependencies), "has_model": False})
    outline, findings = await make_outline(context)
    assert isinstance(outline, Outline)
    assert isinstance(context.journal, MemoryJournal)
    assert set(context.journal.done) == {"research:find:1", "outline:plan"}
    assert findings
    owned = [number for section in outline.sections for number in section.findings]
    assert owned
    assert len(owned) + len(outline.dismissed) == len(findings)
    assert context.journal.planned["outline"] == 1
