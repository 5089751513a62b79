"""What model calls cost, and who keeps count of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from decimal import Decimal

from agents.contract import StoredModel


class Usage(StoredModel):
    """What model calls cost, in tokens as the provider counts them; summed over a step.

    ``pictures`` that came, as some are paid for one by one; ``cost`` is in US dollars; ``unpriced_calls`` were made of models
    the table of prices lacks.
    """

    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    reasoning_tokens: int = 0
    pictures: int = 0
    cost: Decimal = Decimal(0)
    unpriced_calls: int = 0

    def add(self, other: Usage) -> None:
        for name in type(self).model_fields:
            setattr(self, name, getattr(self, name) + getattr(other, name))


_meter: ContextVar[Usage | None] = ContextVar("meter", default=None)


@contextmanager
def metered() -> Iterator[Usage]:
    """Collect what is spent inside the block, in this task and the tasks it starts."""
    usage = Usage()
    token = _meter.set(usage)
    try:
        yield usage
    finally:
        _meter.reset(token)


def record_usage(usage: Usage) -> None:
    """Count ``usage`` to the block it was made in."""
    if (meter := _meter.get()) is not None:
        meter.add(usage)
