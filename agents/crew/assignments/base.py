"""What an assignment consists of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

Reply = TypeVar("Reply")


@dataclass(frozen=True)
class Assignment(Generic[Reply]):
    """``task`` is a name in tasks.yaml, ``fields`` fill its placeholders; ``answer`` is ``str`` or a schema.

    ``shared`` are the blocks the prompt begins with, the same for several calls (``agents.text.shared_prompt``).
    ``built_in`` is the answer of the built-in writer.
    """

    task: str
    answer: type[Reply]
    fields: dict[str, object]
    built_in: Callable[[], Reply]
    shared: tuple[str, ...] = ()
