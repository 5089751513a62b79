"""Two drafts, of which a chief editor chooses one."""

from __future__ import annotations

import json
from typing import Any

import pytest

from agents.contract import Advice
from agents.crew.crew import StudioCrew
from agents.exceptions import ModelError, ProviderUnavailable
from agents.pipeline.choose import choose, write_freely
from agents.pipeline.recipe import produce
from agents.pipeline.steps import StepSpec
from agents.pipeline.write import Draft
from agents.text.draft_sections import numbered, sections_of
from agents.text.length import WHOLE_WORDS
from tests import prompts
from tests.agents.recipes import BRIEF, MemoryJournal, dependencies, edits, make_context, outline_of
from tests.agents.test_writing import VIETNAMESE
from tests.model_server import ModelServer

SENTENCES = "Roofs hold the rain of a whole summer night [S1]. " * 20
FREE = (
    "# Roofs that hold the rain\n\nThey hold most of it [S1].\n\n"
    f"## What they hold\n\n{SENTENCES}\n\n## 7. What to do\n\n{SENTENCES}\n\n### By whom\n\n{SENTENCES}"
)
FIRST = Draft(
    outline_of("Rain", "Heat", words=300), "The first lead.", ["Roofs hold rain [S1].", "Rooms stay cool [S2]."]
)


def choice(better: int, **lists: list[dict[str, Any]]) -> str:
    return json.dumps({"better": better, "reason": "It says what to do.", "take_over": [], "wrong": [], **lists})


class TestSecondDraft:
    async def test_its_structure_is_its_own(self, crew: StudioCrew, model_server: ModelServer) -> None:
        model_server.fail(match=prompts.WRITE_ARTICLE, text=FREE)
        made = await write_freely(make_context(crew))
        assert made is not None
        assert made.outline.title == "Roofs that hold the rain"
        assert made.lead == "They hold most of it [S1]."
        assert [section.heading for section in made.outline.sections] == ["What they hold", "What to do"]
        assert "### By whom" in made.texts[1]
        first, second = (section.words for section in made.outline.sections)
        assert second > 1.5 * first
        assert "THE OUTLINE" not in model_server.calls[0].prompt

    @pytest.mark.parametrize(
        "text",
        [
            SENTENCES * 3,
            FREE.removeprefix("# Roofs that hold the rain"),
            "# Roofs that hold the rain\n\n## One\n\n\n\n## Two\n\n" + SENTENCES * 3,
            FREE.replace(SENTENCES, "Too short. "),
            FREE.replace(SENTENCES, SENTENCES * 3),
            FREE.replace(SENTENCES, VIETNAMESE * 4),
            FREE + " And the",
        ],
        ids=["no headings", "no title", "an empty section", "short", "long", "foreign", "cut off"],
    )
    async def test_one_that_cannot_be_used_is_not_considered(
        self, crew: StudioCrew, model_server: ModelServer, text: str
    ) -> None:
        model_server.fail(match=prompts.WRITE_ARTICLE, text=text)
        assert await write_freely(make_context(crew)) is None

    @pytest.mark.parametrize(
        "brief", [{"approve_outline": True}, {"min_words": WHOLE_WORDS + 1}], ids=["approved outline", "long"]
    )
    async def test_there_is_none(self, crew: StudioCrew, model_server: ModelServer, brief: dict[str, Any]) -> None:
        assert await write_freely(make_context(crew, **brief)) is None
        assert not model_server.calls

    async def test_one_that_fails_does_not_fail_the_article_and_is_not_asked_for_again(
        self, crew: StudioCrew, model_server: ModelServer
    ) -> None:
        model_server.fail(match=prompts.WRITE_ARTICLE, times=20, text="")
        journal = MemoryJournal()
        assert await write_freely(make_context(crew, journal=journal)) is None
        assert journal.messages["write:second"].startswith("No second draft: ")
        asked = len(model_server.calls)
        assert await write_freely(make_context(crew, journal=journal)) is None
        assert len(model_server.calls) == asked

    async def test_the_run_waits_for_a_provider_that_is_away(self, crew: StudioCrew, model_server: ModelServer) -> None:
        model_server.fail(match=prompts.WRITE_ARTICLE, times=20, status=503, retry_after=0)
        journal = MemoryJournal()
        with pytest.raises(ProviderUnavailable):
            await write_freely(make_context(crew, journal=journal))
        assert "write:second" not in journal.done

    async def test_it_is_not_streamed(self, crew: StudioCrew, model_server: ModelServer) -> None:
        journal = MemoryJournal()
        assert await write_freely(make_context(crew, journal=journal))
        assert not journal.drafts

    async def test_a_fault_that_stays_fails_it(self, crew: StudioCrew, model_server: ModelServer) -> None:
        model_server.fail(match=prompts.WRITE_ARTICLE, status=401)
        with pytest.raises(ModelError):
            await write_freely(make_context(crew))


class TestChoice:
    @pytest.mark.parametrize(("better", "title"), [(1, FIRST.outline.title), (2, "Roofs that hold the rain")])
    async def test_the_better_one_is_kept_with_advice_for_its_editors(
        self, crew: StudioCrew, model_server: ModelServer, better: int, title: str
    ) -> None:
        model_server.fail(match=prompts.WRITE_ARTICLE, text=FREE)
        advice = {
            "take_over": [{"section": 2, "what": "Who pays [S2]."}],
            "wrong": [{"section": 0, "what": "“Most” is too much."}],
        }
        model_server.fail(match=prompts.CHOOSE, text=choice(better, **advice))
        context = make_context(crew)
        second = await write_freely(context)
        chosen, told = await choose(context, FIRST, second)
        assert chosen.outline.title == title
        assert chosen.outline.answer == FIRST.outline.answer
        assert told == [
            Advice(section=0, what="Wrong: “Most” is too much."),
            Advice(section=2, what="Another draft does this better: Who pays [S2]."),
        ]
        prompt = model_server.prompts(prompts.CHOOSE)[0]
        assert prompt.index("The first lead.") < prompt.index("DRAFT 2") < prompt.index("## 2. What to do")

    async def test_without_a_second_draft_nothing_is_asked(self, crew: StudioCrew, model_server: ModelServer) -> None:
        assert await choose(make_context(crew), FIRST, None) == (FIRST, [])
        assert not model_server.calls

    @pytest.mark.parametrize("begun", ["edit:revise:1", "edit:verdicts:1"])
    async def test_a_draft_that_an_older_version_began_to_edit_is_kept(
        self, crew: StudioCrew, model_server: ModelServer, begun: str
    ) -> None:
        context = make_context(crew, journal=MemoryJournal(done={begun: {}}))
        second = await write_freely(context)
        assert second is not None
        asked = len(model_server.calls)
        assert await choose(context, FIRST, second) == (FIRST, [])
        assert len(model_server.calls) == asked


async def test_each_editor_is_told_what_is_advised_for_its_part(crew: StudioCrew, model_server: ModelServer) -> None:
    model_server.fail(match=prompts.WRITE_ARTICLE, text=FREE.replace(SENTENCES, SENTENCES * 2))
    advice = [{"section": at, "what": f"Advice for section {at}."} for at in (0, 1, 2)]
    model_server.fail(match=prompts.CHOOSE, text=choice(2, wrong=advice))
    model_server.choices = {"supported"}
    journal = MemoryJournal()
    made = await produce(BRIEF.model_copy(update={"min_words": 1200}), journal, dependencies(crew))
    assert made.outline.title == "Roofs that hold the rain"
    assert journal.messages["edit:choose"] == "Draft 2 chosen: It says what to do."
    asked = sorted(
        model_server.prompts(prompts.EDIT), key=lambda prompt: "the introduction and section 1" not in prompt
    )
    told = [[at for at in (0, 1, 2) if f"Wrong: Advice for section {at}." in prompt] for prompt in asked]
    assert told == [[0, 1], [2]]


@pytest.mark.parametrize("better", ["1", "2"])
@pytest.mark.parametrize("corrected", [True, False])
async def test_every_step_is_counted(
    crew: StudioCrew, model_server: ModelServer, monkeypatch: pytest.MonkeyPatch, better: str, corrected: bool
) -> None:
    """So that the progress reaches its end, and not before the last step."""
    model_server.choices = {"supported", better}
    if not corrected:
        model_server.fail(match=prompts.PROOFREAD, text=edits())
    journal, early = MemoryJournal(), []
    once = journal.once

    async def counted(step: StepSpec[Any]) -> Any:
        output = await once(step)
        if len(journal.steps("edit")) > journal.planned["edit"]:
            early.append(str(step.key))
        return output

    monkeypatch.setattr(journal, "once", counted)
    made = await produce(BRIEF, journal, dependencies(crew))
    assert early == []
    assert {stage: len(journal.steps(stage)) for stage in journal.planned} == journal.planned
    assert {"write:second", "edit:choose", "edit:proofread"} < set(journal.done)
    assert any(key.startswith("edit:corrected") for key in journal.done) == corrected
    assert (made.outline.title == "An article of its own structure") == (better == "2")
    if better == "2":
        assert len(made.outline.sections) == 3
        assert sum(section.words for section in made.outline.sections) == pytest.approx(BRIEF.min_words, abs=2)


async def test_a_resumed_run_does_not_choose_again(crew: StudioCrew, model_server: ModelServer) -> None:
    model_server.fail(match=prompts.WRITE_ARTICLE, text=FREE)
    model_server.fail(match=prompts.CHOOSE, text=choice(2))
    journal = MemoryJournal()
    first = await produce(BRIEF, journal, dependencies(crew))
    calls = len(model_server.calls)
    assert (await produce(BRIEF, journal, dependencies(crew))).content == first.content
    assert len(model_server.calls) == calls


def test_headings_are_numbered_in_order() -> None:
    assert numbered("# T\n\n## One\n\nA.\n\n### Part\n\n## 9. Two\n\nB.") == (
        "# T\n\n## 1. One\n\nA.\n\n### Part\n\n## 2. Two\n\nB."
    )
    assert sections_of(numbered("## One\n\nA.\n\n## 5 ways\n\nB."), 2) == ["A.", "B."]
