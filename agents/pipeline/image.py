"""The image: described from the outline and the tone, drawn while the sections are written."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable

from agents.contract import Outline, Picture, PicturePrompt
from agents.crew import assignments
from agents.exceptions import AgentError, ModelError, ProviderUnavailable, SpendingLimitReached
from agents.images.generate import file_suffix
from agents.images.share_crop import share_crop
from agents.pipeline.context import RunContext
from agents.pipeline.steps import StepKey

log = logging.getLogger(__name__)


async def illustrate(context: RunContext, outline: Awaitable[Outline]) -> tuple[Picture | None, str]:
    """The picture, or the reason why there is none: an article can do without, so the run continues if drawing fails.

    If the run is resumed later for another reason, drawing is tried again.
    """
    if not context.brief.include_image:
        await context.journal.skip("image", "The brief asks for no image")
        return None, ""
    try:
        return await draw(context, await outline), ""
    except SpendingLimitReached:  # pauses the run; the picture is drawn when it is resumed
        raise
    except AgentError as error:
        log.warning("the article has no image: %s", error)
        return None, str(error)


async def draw(context: RunContext, outline: Outline) -> Picture:
    async def plan() -> PicturePrompt:
        try:
            return await context.ask(assignments.picture_prompt(context.brief, outline))
        except ProviderUnavailable as unavailable:  # the run does not wait for the provider only to get a picture
            raise ModelError(str(unavailable), code=unavailable.code) from unavailable

    prompt = await context.once(
        StepKey("image", "prompt"),
        PicturePrompt,
        plan,
        "Planning the image",
        lambda made: f"Image planned: {made.alt}",
    )

    async def perform() -> Picture:
        data, drawn_by = await context.dependencies.illustrate(context.brief, outline, prompt)
        card = await asyncio.to_thread(share_crop, data)
        name = await context.journal.keep_file(f"cover{file_suffix(data)}", data)
        share_name = await context.journal.keep_file(f"card{file_suffix(card)}", card)
        return Picture(name=name, share_name=share_name, alt=prompt.alt, prompt=prompt.prompt, drawn_by=drawn_by)

    return await context.once(
        StepKey("image", "draw"), Picture, perform, "Drawing the image", lambda made: f"Image drawn by {made.drawn_by}"
    )
