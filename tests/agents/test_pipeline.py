"""The recipe, with a real crew, a real model server, and a journal in memory."""

from __future__ import annotations

import asyncio
import gc
import json
import re
import warnings
from typing import Any

import pytest

from agents.contract import AGENTS, Outline, OutlineSection, Plan, Reading, UnreadSource
from agents.crew.crew import StudioCrew
from agents.exceptions import AgentError, ApprovalRequired, ManuscriptIncomplete, ModelError, NothingToRead
from agents.llm.retry import ATTEMPTS
from agents.pipeline.recipe import produce
from agents.pipeline.steps import StepSpec
from agents.text.length import length_score
from agents.text.markdown import count_words
from tests import prompts
from tests.agents.recipes import BRIEF, MemoryJournal, dependencies, draft_of, edits
from tests.model_client import client_of
from tests.model_server import PIXEL, ModelServer

LONG = "Whoever lives below is asked before anything is carried up the stairs. " * 14
"""As long as a section should be, and without a statement of fact."""


async def test_a_brief_becomes_a_manuscript(crew: StudioCrew) -> None:
    journal = MemoryJournal()
    made = await produce(BRIEF, journal, dependencies(crew))
    assert made.title
    assert made.content.count("\n## ") + made.content.startswith("## ") == 3
    assert length_score(count_words(made.content), 600) >= 95
    assert made.findings
    assert made.seo
    assert len(made.seo.title) <= 60
    assert len(made.seo.meta_description) <= 160
    assert made.picture
    assert journal.files["cover.png"] == PIXEL
    assert set(journal.done) >= {
        "research:read",
        "research:find:1",
        "outline:plan",
        "write:draft",
        "edit:evidence",
        "edit:evidence:1",
        "edit:evidence:3",
        "edit:frame",
        "seo:describe",
        "image:prompt",
        "image:draw",
    }
    assert made.findings
    assert made.findings.synthesis
    assert sum(section.words for section in made.outline.sections) == BRIEF.min_words


async def test_the_message_of_a_finished_step_says_what_was_done_to_what(crew: StudioCrew) -> None:
    journal = MemoryJournal()
    await produce(BRIEF, journal, dependencies(crew, searches=True))
    messages = journal.messages
    planned = Plan.model_validate(journal.done["outline:plan"])
    heading = planned.sections[0].heading
    assert messages["research:plan"] == "4 research questions planned"
    assert messages["research:read"] == "1 source read, 4 passages kept"
    assert re.fullmatch(r"1 source read closely, \d+ findings?", messages["research:find:1"])
    assert messages["outline:plan"] == f"“{planned.title}” planned, 3 sections"
    assert re.fullmatch(r"Draft written, \d+ words", messages["write:draft"])
    assert re.fullmatch(r"\d+ sentences compared with the sources", messages["edit:verdicts:1"])
    assert re.fullmatch(r"All 3 sections improved, \d+ changes?", messages["edit:revise:1"])
    assert re.fullmatch(
        rf"“{heading}” checked, (\d+ of \d+ sentences? supported|nothing to check)", messages["edit:evidence:1"]
    )
    assert messages["edit:evidence"].startswith("“Introduction” checked, ")
    assert re.fullmatch(r"Title and headings checked, \d+ changes?", messages["edit:frame"])
    assert messages["seo:describe"].startswith("Search description written: “")
    assert messages["image:prompt"].startswith("Image planned: ")
    assert messages["image:draw"] == "Image drawn by test-image"


async def test_progress_can_be_counted(crew: StudioCrew) -> None:
    journal = MemoryJournal()
    await produce(BRIEF, journal, dependencies(crew))
    for stage, planned in journal.planned.items():
        assert len(journal.steps(stage)) == planned, stage


async def test_every_marker_in_the_text_resolves(crew: StudioCrew, model_server: ModelServer) -> None:
    model_server.fail(
        match=prompts.WRITE, text="Roofs hold rain [S1]. Gardens grow [S99]. " + "And so on it goes. " * 60
    )
    made = await produce(BRIEF, MemoryJournal(), dependencies(crew))
    assert "S99" not in made.content
    assert not re.search(r"\[S\d+\]", made.content)
    used = set(re.findall(r"\[\^(\d+)\](?!:)", made.content))
    assert used == {str(reference.number) for reference in made.references}
    assert used == set(re.findall(r"^\[\^(\d+)\]:", made.content, re.MULTILINE))


async def test_a_resumed_run_asks_nothing_twice(crew: StudioCrew, model_server: ModelServer) -> None:
    supported_throughout(model_server)  # reworded sentences could change the length, which asks for more
    model_server.fail(match=prompts.EDIT, text=edits())
    model_server.fail(match=prompts.PROOFREAD, text=edits())
    journal = MemoryJournal()
    model_server.fail(match=prompts.DESCRIBE, status=503, retry_after=0, times=ATTEMPTS)
    with pytest.raises(ModelError):
        await produce(BRIEF, journal, dependencies(crew))
    asked = len(model_server.calls)
    done = set(journal.done)
    made = await produce(BRIEF, journal, dependencies(crew))
    again = [call.prompt for call in model_server.calls[asked:]]
    assert again
    later = "Search editor", prompts.FRAME, f"{prompts.JUDGE} the introduction"
    assert all(any(part in prompt for part in later) for prompt in again)
    assert {key for key in set(journal.done) - done if not key.startswith("edit:evidence")} == {
        "seo:describe",
        "edit:frame",
    }
    assert made.seo


async def test_sections_are_finished_although_one_fails(crew: StudioCrew, model_server: ModelServer) -> None:
    journal, brief = MemoryJournal(), BRIEF.model_copy(update={"min_words": 1600})
    model_server.fail(match="Write sections 3 to 5 of", status=503, retry_after=0, times=ATTEMPTS)
    with pytest.raises(ModelError):
        await produce(brief, journal, dependencies(crew))
    assert sorted(journal.steps("write")) == ["write:draft:1", "write:draft:6"]


async def test_sections_an_editor_does_not_change_stay_as_they_are(crew: StudioCrew, model_server: ModelServer) -> None:
    supported_throughout(model_server)
    model_server.fail(match=prompts.WRITE, text=draft_of(LONG, LONG + "Who pays?", LONG))
    model_server.fail(match=prompts.EDIT, text=edits(("Who pays?", "Who pays is known."), section=2))
    journal = MemoryJournal()
    made = await produce(BRIEF, journal, dependencies(crew))
    assert "edit:1" not in journal.done
    assert journal.done["edit:evidence:1"]["markdown"] == LONG.strip()
    assert journal.done["edit:evidence:2"]["markdown"] == (LONG + "Who pays is known.").strip()
    others = {key for key in journal.done if key in ("edit:choose", "edit:proofread") or "corrected" in key}
    assert journal.planned["edit"] == len(journal.steps("edit")) == len(others) + 1 + 1 + 1 + 4 + 2, "the lead, too"
    assert made.content


async def test_an_image_that_fails_is_reported_and_the_run_continues(crew: StudioCrew) -> None:
    made = await produce(BRIEF, MemoryJournal(), dependencies(crew, picture=ModelError("The image model was refused.")))
    assert made.picture is None
    assert "The article has no image. The image model was refused." in made.notices


async def test_what_is_not_asked_for_is_skipped(crew: StudioCrew) -> None:
    journal = MemoryJournal()
    brief = BRIEF.model_copy(update={"include_image": False, "seo_optimize": False})
    made = await produce(brief, journal, dependencies(crew))
    assert (made.seo, made.picture) == (None, None)
    assert set(journal.skipped) == {"image", "seo"}
    assert journal.planned["image"] == journal.planned["seo"] == 0


async def test_without_a_source_it_says_that_nothing_is_cited(crew: StudioCrew, model_server: ModelServer) -> None:
    unread = UnreadSource(title="Search", reason="The search could not be reached.")
    made = await produce(BRIEF, MemoryJournal(), dependencies(crew, read=Reading(unread=[unread])))
    assert made.references == []
    assert any("no citations" in notice for notice in made.notices)
    assert any("could not be reached" in notice for notice in made.notices)
    assert "Write without citations" in model_server.prompts(prompts.WRITE)[0]
    assert not model_server.prompts(prompts.FRAME), "there is nothing to check it against"


async def test_without_a_source_nothing_is_written_where_the_brief_wants_sources(
    crew: StudioCrew, model_server: ModelServer
) -> None:
    strict = BRIEF.model_copy(update={"allow_uncited": False})
    unread = UnreadSource(title="Search", reason="The search could not be reached.")
    with pytest.raises(NothingToRead, match=r"Add a source.*could not be reached"):
        await produce(strict, MemoryJournal(), dependencies(crew, read=Reading(unread=[unread])))
    assert model_server.calls == []


async def test_an_outline_is_shown_before_anything_is_written(crew: StudioCrew, model_server: ModelServer) -> None:
    journal, brief = MemoryJournal(), BRIEF.model_copy(update={"approve_outline": True})
    with pytest.raises(ApprovalRequired) as waiting:
        await produce(brief, journal, dependencies(crew))
    assert not model_server.prompts(prompts.WRITE)
    ours = [OutlineSection(heading=f"Heading {letter}", purpose="Why.", words=300) for letter in "AB"]
    journal.done["outline:approved"] = Outline(title="Another title", sections=ours).model_dump(mode="json")
    supported_throughout(model_server)
    model_server.fail(match=prompts.LEAD, text=json.dumps({"title": "Another title", "lead": ""}))
    made = await produce(brief, journal, dependencies(crew))
    assert waiting.value.outline.title != "Another title" == made.title
    assert re.findall("^## (.*)$", made.content, re.MULTILINE) == ["Heading A", "Heading B"]


async def test_a_regenerated_outline_is_asked_for_with_the_wish(crew: StudioCrew, model_server: ModelServer) -> None:
    await produce(BRIEF.model_copy(update={"outline_wish": "More on costs."}), MemoryJournal(), dependencies(crew))
    assert "was not what was wanted: More on costs." in model_server.prompts(prompts.PLAN)[0]


async def test_an_article_far_too_short_is_not_called_complete(crew: StudioCrew, model_server: ModelServer) -> None:
    for task in (prompts.WRITE, prompts.WRITE_SECTION, prompts.REWRITE, prompts.EXTEND):
        model_server.fail(match=task, text="Too little.", times=99)
    with pytest.raises(ManuscriptIncomplete, match="of the 600 words"):
        await produce(BRIEF, MemoryJournal(), dependencies(crew))


async def test_headings_of_the_writers_own_are_brought_into_order(crew: StudioCrew, model_server: ModelServer) -> None:
    text = "## My own heading\n\nFirst. " + "Words and words. " * 60 + "\n\n# Another\n\nMore."
    model_server.fail(match=prompts.WRITE, text=draft_of("Too short.", "Words and words. " * 60, "And words. " * 60))
    model_server.fail(match=prompts.write(1), text=text)
    model_server.fail(match=prompts.EDIT, text=edits())
    made = await produce(BRIEF, MemoryJournal(), dependencies(crew))
    assert "My own heading" not in made.content
    assert "\n### Another" in made.content


async def test_the_draft_is_shown_while_it_is_written(crew: StudioCrew) -> None:
    journal = MemoryJournal()
    await produce(BRIEF, journal, dependencies(crew))
    assert journal.drafts["write:draft"]


async def test_the_built_in_writer_quotes_its_sources_word_for_word() -> None:
    brief = BRIEF.model_copy(update={"min_words": 300})
    made = await produce(brief, MemoryJournal(), dependencies(StudioCrew.without_model(), has_model=False))
    assert "A planted roof holds 60 % of a summer's rain" in made.content
    assert made.references
    assert "built-in extractive writer" in made.notices[0]
    assert any("Add sources" in notice for notice in made.notices)


async def test_every_call_failing_is_a_failure(crew: StudioCrew, model_server: ModelServer) -> None:
    model_server.fail(status=401, times=99)
    with pytest.raises(AgentError, match="OPENAI_API_KEY"):
        await produce(BRIEF, MemoryJournal(), dependencies(crew))


async def test_cancelling_it_stops_every_call(model_server: ModelServer) -> None:
    with ModelServer(token_seconds=0.02) as slow:
        async with client_of(slow.url) as client:
            crew = StudioCrew.with_models(dict.fromkeys(AGENTS, "m"), client, asyncio.Semaphore(8))
            work = asyncio.create_task(produce(BRIEF, MemoryJournal(), dependencies(crew)))
            async with asyncio.timeout(30):
                while not slow.prompts(prompts.WRITE):
                    await asyncio.sleep(0.05)
            work.cancel()
            with pytest.raises(asyncio.CancelledError):
                await work
            count = len(slow.calls)
            await asyncio.sleep(0.5)
    assert len(slow.calls) == count
    assert all(call.ended for call in slow.calls)


class CancelledAfterItsDraft(MemoryJournal):
    """Has its run cancelled between the draft and the first turn of the edits."""

    def cancel_with(self, work: asyncio.Task[object]) -> None:
        self.work = work

    async def once(self, step: StepSpec[Any]) -> Any:
        if step.key.kind == "revise":
            self.work.cancel()
            await asyncio.sleep(1)  # which the cancellation ends
        return await super().once(step)


async def test_a_run_cancelled_as_its_edits_begin_leaves_no_coroutine_and_no_task(
    crew: StudioCrew, model_server: ModelServer
) -> None:
    journal = CancelledAfterItsDraft()
    before = asyncio.all_tasks()
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        journal.cancel_with(work := asyncio.create_task(produce(BRIEF, journal, dependencies(crew))))
        with pytest.raises(asyncio.CancelledError):
            await work
        gc.collect()
    assert [str(each.message) for each in warned if "never awaited" in str(each.message)] == []
    assert asyncio.all_tasks() - before == set()
    await asyncio.sleep(0.3)
    assert model_server.prompts(prompts.EDIT) == []


async def test_an_edit_that_fails_ends_the_run_without_a_description(
    crew: StudioCrew, model_server: ModelServer
) -> None:
    model_server.fail(match=prompts.EDIT, status=401, times=1)
    journal = MemoryJournal()
    with pytest.raises(ModelError):
        await produce(BRIEF, journal, dependencies(crew))
    assert "seo:describe" not in journal.done
    await produce(BRIEF, journal, dependencies(crew))
    assert {"edit:revise:1", "seo:describe"} <= set(journal.done)


def supported_throughout(server: ModelServer) -> None:
    """Nothing is found wanting, so no sentence is reworded."""
    server.choices.add("supported")


async def test_only_what_is_wrong_with_the_description_is_asked_for_again(
    crew: StudioCrew, model_server: ModelServer
) -> None:
    await produce(BRIEF, MemoryJournal(), dependencies(crew))
    (prompt,) = model_server.prompts(prompts.DESCRIBE_AGAIN)
    assert "The description has" in prompt
    (call,) = [call for call in model_server.calls if call.prompt == prompt]
    asked_for = call.body["response_format"]["json_schema"]["schema"]["properties"]
    assert "meta_description" in asked_for
    assert "keywords" not in asked_for
