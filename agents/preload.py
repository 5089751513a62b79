"""What a job needs beyond the crew itself, imported before workers fork.

These are imported late by the libraries that use them: the openai client's resources alone cost a job two seconds of CPU
in one piece, in which it could neither renew its lease nor be cancelled.
"""

from __future__ import annotations

from importlib import import_module

from PIL import Image

from agents import research
from agents.text import language

LATE = (
    "PIL.ImageOps",
    "PIL.WebPImagePlugin",
    "openai.resources",
    "httpcore",
    "anyio._backends._asyncio",
    "crewai.hooks.contexts",
    "crewai.llms.cache",
    "crewai.skills.tool",
    "multiprocessing.synchronize",
)


def preload() -> None:
    for module in LATE:
        import_module(module)
    Image.preinit()  # its commonest formats
    language.preload()
    research.preload()
