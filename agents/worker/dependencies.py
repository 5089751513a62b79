"""The dependencies of a run according to the settings: model or built-in writer, search, fetcher and image generator."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial

from django.conf import settings

from agents import samples
from agents.contract import DRAWN_BY_STUDIO, AgentConfig, Brief, BriefSource, Outline, PicturePrompt, Reading, Stage
from agents.crew.crew import StudioCrew
from agents.exceptions import NothingToRead
from agents.images.cover import draw_cover
from agents.images.generate import generate_image
from agents.llm.client import model_client
from agents.pipeline.recipe import RunDependencies
from agents.research.factory import fetcher_from_settings, read_for
from agents.research.media_types import IMAGES
from agents.research.reading import read_all
from agents.worker.uploads import load_upload
from contentstudio.runtime.private_directory import make_private_directory

BUILT_IN = "built-in extractive writer"
SAMPLE_PUBLISHER = "the studio's sample library"


def writer(agents: Mapping[Stage, AgentConfig]) -> str:
    """Display name of the writer: a model's name, or the built-in writer."""
    if not settings.HAS_MODEL:
        return BUILT_IN
    return agents.get("write", AgentConfig()).model or settings.LLM_MODELS["write"]


@asynccontextmanager
async def dependencies_from_settings(
    agents: Mapping[Stage, AgentConfig], slots: asyncio.Semaphore
) -> AsyncIterator[RunDependencies]:
    """The dependencies of one run with these settings of its agents. Connections are closed afterwards.

    ``slots`` limits the concurrent calls of all runs that share it.
    """
    make_private_directory(settings.LOCAL, purpose="outages of search providers")
    searches = settings.SEARCH_PROVIDER.strip().lower() != "none"
    if not settings.HAS_MODEL:
        yield RunDependencies(
            crew=StudioCrew.without_model(),
            has_model=False,
            searches=searches,
            reading_tokens=settings.READING_TOKENS,
            read=read_or_sample,
            illustrate=cover,
        )
        return
    async with model_client() as client:
        crew = StudioCrew.with_models(settings.LLM_MODELS, client, slots, agents)

        async def illustrate(brief: Brief, outline: Outline, prompt: PicturePrompt) -> tuple[bytes, str]:
            if not settings.IMAGE_MODEL:
                return await cover(brief, outline, prompt)
            fetcher = fetcher_from_settings()

            async def fetch(url: str) -> bytes:
                return (await fetcher.fetch(url, IMAGES)).body

            data = await generate_image(prompt.prompt, client=client, model=settings.IMAGE_MODEL, fetch=fetch)
            return data, settings.IMAGE_MODEL

        yield RunDependencies(
            crew=crew,
            has_model=True,
            searches=searches,
            reading_tokens=settings.READING_TOKENS,
            read=partial(read_for, load=load_upload),
            illustrate=illustrate,
        )


async def read_or_sample(brief: Brief, questions: Sequence[str]) -> Reading:
    """The result of ``read_for``, or of the sample library if that is empty. Raises NothingToRead."""
    reading = await read_for(brief, questions, load_upload)
    if reading.passages:
        return reading
    found = await asyncio.to_thread(samples.closest, brief.topic)
    if not found:
        raise NothingToRead(
            "No source could be read, and the built-in writer only quotes what was read."
            " Add a source to the brief, such as a text you paste, or configure a model."
        )
    fetcher = fetcher_from_settings()
    essays = [BriefSource(id=0, title=sample.title, text=sample.text, publisher=SAMPLE_PUBLISHER) for sample in found]
    sampled = await read_all(essays, [], fetcher=fetcher, seconds=settings.RESEARCH_SECONDS, limit=0)
    return sampled.model_copy(update={"unread": reading.unread, "from_samples": True})


async def cover(brief: Brief, outline: Outline, prompt: PicturePrompt) -> tuple[bytes, str]:
    """The built-in cover."""
    data = await asyncio.to_thread(draw_cover, outline.title, seed=brief.topic)
    return data, DRAWN_BY_STUDIO
