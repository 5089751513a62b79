"""The recipe, with a real crew, a real model server, and a journal in memory."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import openai
import pytest

from agents.contract import AGENTS, Brief, Outline, Passage, PicturePrompt, Reading, Source, Stage, Unread
from agents.crew import StudioCrew
from agents.exceptions import AgentError, ManuscriptIncomplete, ModelError
from agents.pipeline import Means, produce
from agents.research.words import count_words
from agents.steps import StepSpec
from tests.model_server import PIXEL, ModelServer

TEXT = (
    "Flat roofs are the largest unused surface of most cities. A planted roof holds most of a summer's rain. "
    "The rooms below a planted roof stay several degrees cooler in July. A saturated bed weighs as much as a small car. "
    "An engineer has to look at the beams before the first sack of soil is carried up. "
)
BRIEF = Brief(topic="Rooftop gardens in cities", min_words=600)


def reading(passages: int = 4) -> Reading:
    source = Source(number=1, title="City roofs surveyed", read_at=datetime(2026, 11, 22, tzinfo=UTC), sha256="0" * 64)
    texts = [f"{TEXT} This is observation number {number} of the survey." for number in range(1, passages + 1)]
    made = [Passage(id=f"S{n}", source=1, start=0, end=len(text), text=text) for n, text in enumerate(texts, 1)]
    return Reading(sources=[source], passages=made)


@dataclass
class MemoryJournal:
    """Remembers what was done, as the stored journal does."""

    done: dict[str, Any] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)
    skipped: list[Stage] = field(default_factory=list)
    planned: dict[Stage, int] = field(default_factory=dict)
    drafts: Counter[str] = field(default_factory=Counter)
    files: dict[str, bytes] = field(default_factory=dict)

    async def once(self, step: StepSpec[Any]) -> Any:
        if step.key in self.done:
            return step.output.model_validate(self.done[step.key])
        output = await step.perform()
        self.done[step.key] = output.model_dump(mode="json")
        self.told.append(step.done(output))
        return output

    async def skip(self, stage: Stage, reason: str) -> None:
        self.skipped.append(stage)

    async def plan(self, steps: Mapping[Stage, int]) -> None:
        self.planned = dict(steps)

    async def draft(self, key: str, offset: int, text: str) -> None:
        self.drafts[key] += 1

    async def keep_file(self, name: str, data: bytes) -> str:
        self.files[name] = data
        return name


def means(
    crew: StudioCrew, read: Reading | None = None, picture: Exception | None = None, has_model: bool = True
) -> Means:
    async def read_it(brief: Brief, questions: Sequence[str]) -> Reading:
        return read if read is not None else reading()

    async def illustrate(brief: Brief, outline: Outline, prompt: PicturePrompt) -> tuple[bytes, str]:
        if picture:
            raise picture
        return PIXEL, "test-image"

    return Means(crew=crew, has_model=has_model, read=read_it, illustrate=illustrate)


async def test_a_brief_becomes_a_manuscript(crew: StudioCrew) -> None:
    journal = MemoryJournal()
    made = await produce(BRIEF, journal, means(crew))
    assert made.title
    assert made.content.count("\n## ") + made.content.startswith("## ") == 3
    assert count_words(made.content) >= 600
    assert made.seo
    assert len(made.seo.title) <= 60
    assert len(made.seo.meta_description) <= 160
    assert made.picture
    assert journal.files == {"cover.png": PIXEL}
    assert made.notices == []


async def test_every_marker_in_the_text_resolves(crew: StudioCrew, model_server: ModelServer) -> None:
    model_server.fail(
        match="You write one section", text="Roofs hold rain [S1]. Gardens grow [S99]. " + "And so on it goes. " * 60
    )
    made = await produce(BRIEF, MemoryJournal(), means(crew))
    assert "S99" not in made.content
    assert not re.search(r"\[S\d+\]", made.content)
    used = set(re.findall(r"\[\^(\d+)\](?!:)", made.content))
    assert used == {str(reference.number) for reference in made.references}
    assert used == set(re.findall(r"^\[\^(\d+)\]:", made.content, re.MULTILINE))


async def test_a_resumed_run_asks_nothing_twice(crew: StudioCrew, model_server: ModelServer) -> None:
    journal = MemoryJournal()
    model_server.fail(match="Describe this article for search", status=401, times=1)
    with pytest.raises(ModelError):
        await produce(BRIEF, journal, means(crew))
    asked = len(model_server.calls)
    done = set(journal.done)
    made = await produce(BRIEF, journal, means(crew))
    assert len(model_server.calls) == asked + 1, "only the step that failed is asked of the model again"
    assert set(journal.done) == done | {"seo:describe"}
    assert made.seo


async def test_sections_are_finished_although_one_fails(crew: StudioCrew, model_server: ModelServer) -> None:
    journal = MemoryJournal()
    model_server.fail(match="Your section is number 2", status=401)
    with pytest.raises(ModelError):
        await produce(BRIEF, journal, means(crew))
    assert {"write:1", "write:3"} <= set(journal.done)
    assert "write:2" not in journal.done


async def test_sections_a_review_does_not_name_stay_as_they_are(crew: StudioCrew, model_server: ModelServer) -> None:
    remark = '{"remarks": [{"section": 2, "kind": "gap", "instruction": "Say who pays for the soil."}]}'
    model_server.fail(match="Read this article as its readers will", text=remark)
    journal = MemoryJournal()
    made = await produce(BRIEF, journal, means(crew))
    assert [key for key in journal.done if key.startswith("edit:")] == ["edit:review", "edit:2"]
    assert "Say who pays for the soil." in model_server.prompts("Mend one section")[0]
    written = journal.done["write:1"]["markdown"].split("[S")[0].strip()
    assert written in made.content
    assert journal.planned["edit"] == 2


async def test_an_image_that_fails_is_told_and_the_article_goes_on(crew: StudioCrew) -> None:
    made = await produce(BRIEF, MemoryJournal(), means(crew, picture=ModelError("The image model was refused.")))
    assert made.picture is None
    assert made.notices == ["It has no image. The image model was refused."]


async def test_what_is_not_asked_for_is_skipped(crew: StudioCrew) -> None:
    journal = MemoryJournal()
    brief = BRIEF.model_copy(update={"include_image": False, "seo_optimize": False})
    made = await produce(brief, journal, means(crew))
    assert (made.seo, made.picture) == (None, None)
    assert set(journal.skipped) == {"image", "seo"}
    assert journal.planned["image"] == journal.planned["seo"] == 0


async def test_without_a_source_it_says_that_nothing_is_cited(crew: StudioCrew, model_server: ModelServer) -> None:
    unread = Unread(title="Search", reason="The search could not be reached.")
    made = await produce(BRIEF, MemoryJournal(), means(crew, read=Reading(unread=[unread])))
    assert made.references == []
    assert any("cites nothing" in notice for notice in made.notices)
    assert any("could not be reached" in notice for notice in made.notices)
    assert "write without citations" in model_server.prompts("You write one section")[0]


async def test_an_article_far_too_short_is_not_called_complete(crew: StudioCrew, model_server: ModelServer) -> None:
    model_server.fail(match="You write one section", text="Too little.", times=9)
    model_server.fail(match="Mend one section", text="Too little.", times=9)
    with pytest.raises(ManuscriptIncomplete, match="of the 600 words"):
        await produce(BRIEF, MemoryJournal(), means(crew))


async def test_headings_of_the_writers_own_are_brought_into_order(crew: StudioCrew, model_server: ModelServer) -> None:
    text = "## My own heading\n\nFirst. " + "Words and words. " * 60 + "\n\n# Another\n\nMore."
    model_server.fail(match="Your section is number 1", text=text)
    model_server.fail(match="Read this article as its readers will", text='{"remarks": []}')
    made = await produce(BRIEF, MemoryJournal(), means(crew))
    assert "My own heading" not in made.content
    assert "\n### Another" in made.content


async def test_the_draft_of_each_section_is_shown(crew: StudioCrew) -> None:
    journal = MemoryJournal()
    await produce(BRIEF, journal, means(crew))
    assert {"write:1", "write:2", "write:3"} <= set(journal.drafts)


async def test_the_built_in_writer_quotes_its_sources_word_for_word() -> None:
    brief = BRIEF.model_copy(update={"min_words": 300})
    made = await produce(brief, MemoryJournal(), means(StudioCrew.without_model(), has_model=False))
    assert "A planted roof holds most of a summer's rain" in made.content
    assert made.references
    assert "built-in extractive writer" in made.notices[0]
    assert any("add sources" in notice for notice in made.notices)


async def test_every_call_failing_is_a_failure(crew: StudioCrew, model_server: ModelServer) -> None:
    model_server.fail(status=401, times=99)
    with pytest.raises(AgentError, match="OPENAI_API_KEY"):
        await produce(BRIEF, MemoryJournal(), means(crew))


async def test_cancelling_it_stops_every_call(model_server: ModelServer) -> None:
    with ModelServer(token_seconds=0.02) as slow:
        async with openai.AsyncOpenAI(api_key="k", base_url=slow.url, max_retries=0) as client:
            crew = StudioCrew.with_models(dict.fromkeys(AGENTS, "m"), client, concurrency=8)
            work = asyncio.create_task(produce(BRIEF, MemoryJournal(), means(crew)))
            async with asyncio.timeout(30):
                while not slow.prompts("You write one section"):
                    await asyncio.sleep(0.05)
            work.cancel()
            with pytest.raises(asyncio.CancelledError):
                await work
            count = len(slow.calls)
            await asyncio.sleep(0.5)
    assert len(slow.calls) == count
    assert all(call.ended for call in slow.calls)
