"""All prompts of an article begin with the same text, so that a provider can serve it from its cache."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any, cast

import pytest

from agents.contract import Passage, Reading, Source
from agents.crew.assignments import Assignment
from agents.crew.crew import StudioCrew
from agents.llm.preview import PreviewSink
from agents.pipeline import context as context_module
from agents.pipeline.context import RunContext
from agents.pipeline.recipe import produce
from agents.text.shared_prompt import plan_block
from tests import prompts
from tests.agents.recipes import BRIEF, MemoryJournal, dependencies, outline_of, reading
from tests.model_client import client_of
from tests.model_server import ModelServer

WITHOUT_SOURCES = (prompts.DESCRIBE, prompts.DESCRIBE_AGAIN, prompts.ASK, prompts.PICTURE)
"""Tasks that are about the finished article alone."""

BLOCKS = ("THE BRIEF\n", "THE SOURCES,", "THE OUTLINE\n", "THE ARTICLE AS IT STANDS,", "YOUR ROLE\n")


def sources_in(*languages: str) -> Reading:
    """A source in each of these languages, with one passage each."""
    texts = {
        "en": "A planted roof holds 60 % of a summer's rain, as the city measured.",
        "de": "Ein Gründach hält sechzig Prozent des Regens eines Sommers zurück.",
        "vi": "Mái nhà trồng cây giữ lại sáu mươi phần trăm lượng mưa mùa hè.",
    }
    read = datetime(2026, 11, 22, tzinfo=UTC)
    return Reading(
        sources=[
            Source(number=n, title=f"Survey {n}", read_at=read, sha256=f"{n:064}", language=language, words=12)
            for n, language in enumerate(languages, 1)
        ],
        passages=[
            Passage(id=f"S{n}", source=n, start=0, end=len(texts[language]), text=texts[language])
            for n, language in enumerate(languages, 1)
        ],
    )


async def prompts_of_an_article(crew: StudioCrew, server: ModelServer, read: Reading) -> list[str]:
    """All prompts of an article."""
    await produce(BRIEF, MemoryJournal(), dependencies(crew, read))
    return [call.prompt for call in server.calls if call.body.get("messages")]


async def test_all_prompts_begin_with_system_text_brief_and_sources(
    crew: StudioCrew, model_server: ModelServer
) -> None:
    made = await prompts_of_an_article(crew, model_server, reading())
    with_sources = [prompt for prompt in made if not any(phrase in prompt for phrase in WITHOUT_SOURCES)]
    starts = {prompt.partition("How to cite and count:")[0] for prompt in with_sources}
    assert len(with_sources) >= 6
    (start,) = starts
    assert all(text in start for text in ("material to work with", "THE BRIEF", BRIEF.topic, "[S1]", "[S4]"))


async def test_the_parts_of_a_prompt_are_always_in_the_same_order(crew: StudioCrew, model_server: ModelServer) -> None:
    for prompt in await prompts_of_an_article(crew, model_server, reading()):
        places = [prompt.find(block) for block in BLOCKS if block in prompt]
        assert places == sorted(places)
        assert prompt.count("YOUR ROLE\n") == 1


async def test_the_search_editors_prompts_share_their_start(crew: StudioCrew, model_server: ModelServer) -> None:
    await produce(BRIEF, MemoryJournal(), dependencies(crew))
    starts = {
        prompt.partition("YOUR ROLE")[0]
        for phrase in (prompts.DESCRIBE, prompts.ASK)
        for prompt in model_server.prompts(phrase)
    }
    assert len(starts) == 1


async def test_every_source_reaches_planning_writing_and_editing_in_whatever_language(
    crew: StudioCrew, model_server: ModelServer
) -> None:
    read = sources_in("en", "de", "vi")
    await prompts_of_an_article(crew, model_server, read)
    tasks = [prompts.FIND, prompts.PLAN, prompts.WRITE, prompts.EDIT, prompts.JUDGE]
    for phrase in tasks:
        found = model_server.prompts(phrase)
        assert found, phrase
        assert all(passage.text in prompt for prompt in found for passage in read.passages), phrase


async def test_prompts_name_the_date_and_the_readers_units(crew: StudioCrew, model_server: ModelServer) -> None:
    made = await prompts_of_an_article(crew, model_server, reading())
    (prompt,) = (each for each in made if prompts.PLAN in each)
    assert re.search(r"Today is \d{1,2} \w+ \d{4}\. Its readers use metric units", prompt)


# Calls with the same start


@dataclass
class ScriptedCrew:
    """Answers after ``begin`` and ``end`` are set; records the order in which calls begin."""

    begin: asyncio.Event = field(default_factory=asyncio.Event)
    end: asyncio.Event = field(default_factory=asyncio.Event)
    asked: list[str] = field(default_factory=list)
    fails: bool = False

    async def ask(self, assignment: Assignment[Any], preview: PreviewSink | None = None) -> Any:
        self.asked.append(assignment.task)
        if self.fails:
            raise OSError("refused")
        if len(self.asked) == 1:
            await self.begin.wait()
            assert preview
            await preview(0, "The first word")
            await self.end.wait()
        return assignment.task


def assignment(name: str, *shared: str) -> Assignment[str]:
    return Assignment(name, str, {}, lambda: "", shared)


def run_with(crew: ScriptedCrew, *, has_model: bool = True) -> RunContext:
    return RunContext(BRIEF, MemoryJournal(), dependencies(cast(StudioCrew, crew), has_model=has_model))


async def turns(count: int = 20) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def test_the_first_call_with_a_start_goes_ahead_until_its_answer_begins() -> None:
    crew = ScriptedCrew()
    context = run_with(crew)
    calls = [asyncio.create_task(context.ask(assignment(name, "start"))) for name in ("first", "second", "third")]
    await turns()
    assert crew.asked == ["first"]
    crew.begin.set()
    await turns()
    assert crew.asked == ["first", "second", "third"], "the first answer has begun and not ended"
    crew.end.set()
    assert await asyncio.gather(*calls) == ["first", "second", "third"]


async def test_calls_with_another_start_or_none_do_not_wait() -> None:
    crew = ScriptedCrew()
    context = run_with(crew)
    first = asyncio.create_task(context.ask(assignment("first", "start")))
    await turns()
    assert await context.ask(assignment("other", "start", "plan")) == "other"
    assert await context.ask(assignment("alone")) == "alone"
    first.cancel()


async def test_the_wait_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(context_module, "CACHE_SECONDS", 0.05)
    crew = ScriptedCrew()
    context = run_with(crew)
    first = asyncio.create_task(context.ask(assignment("first", "start")))
    await turns()
    async with asyncio.timeout(2):
        assert await context.ask(assignment("second", "start")) == "second"
    assert not first.done()
    first.cancel()


async def test_a_first_call_that_fails_releases_the_others() -> None:
    crew = ScriptedCrew(fails=True)
    context = run_with(crew)
    async with asyncio.timeout(1):
        results = await asyncio.gather(
            *(context.ask(assignment(name, "start")) for name in ("first", "second")), return_exceptions=True
        )
    assert [type(result) for result in results] == [OSError, OSError]


async def test_the_built_in_writer_waits_for_nothing() -> None:
    crew = ScriptedCrew()
    crew.begin.set()
    context = run_with(crew, has_model=False)
    crew.asked.append("an earlier call")
    results = await asyncio.gather(*(context.ask(assignment(name, "start")) for name in ("first", "second")))
    assert results == ["first", "second"]
    assert context._answering == {}


async def test_of_concurrent_calls_one_is_ahead_of_the_others(model_server: ModelServer, crew: StudioCrew) -> None:
    """On the real crew: parts begin once the first one's answer has begun."""
    with ModelServer(first_seconds=0.3) as slow:
        async with client_of(slow.url) as client:
            slow_crew = StudioCrew.with_models(dict.fromkeys(crew._agents, "m"), client, asyncio.Semaphore(8))
            await produce(
                BRIEF.model_copy(update={"include_image": False, "seo_optimize": False, "min_words": 1600}),
                MemoryJournal(),
                dependencies(slow_crew),
            )
        first, *others = sorted(call.at for call in slow.calls if prompts.WRITE in call.prompt)
    assert len(others) == 2
    assert all(at - first >= 0.3 for at in others)
    assert all(later - earlier < 0.3 for earlier, later in pairwise(others))


def test_the_outline_of_a_prompt_has_headings_and_purposes() -> None:
    """Lengths and findings of sections made their writers fill them in."""
    outline = outline_of("What roofs hold", "Who pays", words=150, points=["It holds 60 %."], findings=[1])
    block = plan_block(outline)
    assert "\n1. What roofs hold: Why.\n2. Who pays: Why.\n" in block
    assert "The answer in short: Roofs hold rain." in block
    assert not any(text in block for text in ("150", "60 %", "prose", "indings"))
