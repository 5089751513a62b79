"""The picture: chosen from the outline and the tone, drawn while the sections are written."""

from __future__ import annotations

import asyncio
import logging

from agents.contract import Outline, Picture, PicturePrompt
from agents.crew import assignments
from agents.exceptions import AgentError, ModelError, ProviderUnavailable, SpendingLimitReached
from agents.images.generate import file_suffix
from agents.images.share_crop import share_crop
from agents.pipeline.context import RunContext
from agents.pipeline.steps import StepKey

log = logging.getLogger(__name__)


async def illustrate(context: RunContext, outline: Outline) -> tuple[Picture | None, str]:
    """The picture, or why there is none: an article can do without one, so its failure is told and the run goes on.

    Where the run waits for its model all the same, because the sections do, the picture is tried again with them.
    """
    if not context.brief.include_image:
        await context.journal.skip("image", "The brief asks for no image")
        return None, ""
    try:
        return await draw(context, outline), ""
    except SpendingLimitReached:  # the run stops here, and draws when it goes on
        raise
    except AgentError as error:
        log.warning("the article has no image: %s", error)
        return None, str(error)


async def draw(context: RunContext, outline: Outline) -> Picture:
    async def choose() -> PicturePrompt:
        try:
            return await context.ask(assignments.picture_prompt(context.brief, outline))
        except ProviderUnavailable as away:  # the article does not wait for its picture alone
            raise ModelError(str(away), code=away.code) from away

    prompt = await context.once(
        StepKey("image", "prompt"),
        PicturePrompt,
        choose,
        "Choosing a picture",
        lambda made: made.alt,
    )

    async def perform() -> Picture:
        data, drawn_by = await context.dependencies.illustrate(context.brief, outline, prompt)
        card = await asyncio.to_thread(share_crop, data)
        name = await context.journal.keep_file(f"cover{file_suffix(data)}", data)
        share_name = await context.journal.keep_file(f"card{file_suffix(card)}", card)
        return Picture(name=name, share_name=share_name, alt=prompt.alt, prompt=prompt.prompt, drawn_by=drawn_by)

    return await context.once(
        StepKey("image", "draw"), Picture, perform, "Drawing the picture", lambda made: f"Drawn by {made.drawn_by}"
    )
