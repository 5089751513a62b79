"""What a run works with, as the settings say: a model or the built-in writer, a search, a fetcher, someone who draws."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from django.conf import settings

from agents import samples
from agents.client import model_client
from agents.contract import Brief, BriefSource, Outline, PicturePrompt, Reading
from agents.crew import StudioCrew
from agents.exceptions import NothingToRead, SearchFailed
from agents.images import draw, draw_cover
from agents.pipeline import Means
from agents.research.choice import fetcher_from_settings, search_from_settings
from agents.research.finding import find
from agents.research.kinds import PICTURES
from agents.research.reading import read_all

BUILT_IN = "built-in extractive writer"
HITS, PAGES = 12, 6


def writer() -> str:
    """Who writes, as it is told to people: a model's name, or the built-in writer."""
    return settings.LLM_MODELS["write"] if settings.HAS_MODEL else BUILT_IN


@asynccontextmanager
async def means_from_settings() -> AsyncIterator[Means]:
    """The means of one run; connections are closed after it."""
    if not settings.HAS_MODEL:
        yield Means(crew=StudioCrew.without_model(), has_model=False, read=read_or_sample, illustrate=cover)
        return
    async with model_client() as client:
        crew = StudioCrew.with_models(settings.LLM_MODELS, client, settings.LLM_MAX_CONCURRENCY)

        async def illustrate(brief: Brief, outline: Outline, prompt: PicturePrompt) -> tuple[bytes, str]:
            if not settings.IMAGE_MODEL:
                return await cover(brief, outline, prompt)
            fetcher = fetcher_from_settings()

            async def fetch(url: str) -> bytes:
                return (await fetcher.fetch(url, PICTURES)).body

            data = await draw(prompt.prompt, client=client, model=settings.IMAGE_MODEL, fetch=fetch)
            return data, settings.IMAGE_MODEL

        yield Means(crew=crew, has_model=True, read=read, illustrate=illustrate)


async def read(brief: Brief, questions: Sequence[str]) -> Reading:
    """The brief's own sources and what the search finds. A search that fails is told in ``unread``."""
    try:
        hits, problems = await find(questions, search_from_settings(brief.language), HITS)
    except SearchFailed as problem:
        hits, problems = [], [str(problem)]
    fetcher = fetcher_from_settings()
    reading = await read_all(brief.sources, hits, fetcher=fetcher, seconds=settings.RESEARCH_SECONDS, limit=PAGES)
    return reading.with_problems(problems)


async def read_or_sample(brief: Brief, questions: Sequence[str]) -> Reading:
    """Like ``read``; where nothing could be read, what the small sample library has on the topic. Raises NothingToRead."""
    reading = await read(brief, questions)
    if reading.passages:
        return reading
    found = await asyncio.to_thread(samples.closest, brief.topic)
    if not found:
        raise NothingToRead(
            "No source could be read, and the built-in writer only quotes what was read."
            " Add a source to the brief, such as a text you paste, or configure a model."
        )
    fetcher = fetcher_from_settings()
    essays = [BriefSource(id=0, title=sample.title, text=sample.text) for sample in found]
    sampled = await read_all(essays, [], fetcher=fetcher, seconds=settings.RESEARCH_SECONDS, limit=0)
    return sampled.model_copy(update={"unread": reading.unread, "from_samples": True})


async def cover(brief: Brief, outline: Outline, prompt: PicturePrompt) -> tuple[bytes, str]:
    """The cover the studio draws itself."""
    data = await asyncio.to_thread(draw_cover, outline.title, seed=brief.topic)
    return data, "the studio"
