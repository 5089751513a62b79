"""Counts the usage and cost of model calls."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from decimal import Decimal

from agents.contract import StoredModel


class Usage(StoredModel):
    """The usage of one or more model calls, in tokens as the provider counts them.

    ``pictures`` are the images received, since some models are paid per image; ``cost`` is in US dollars; ``unpriced_calls`` are
    those of models without a price.
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
    """Sums the usage inside the block, of this task and the tasks it starts."""
    usage = Usage()
    token = _meter.set(usage)
    try:
        yield usage
    finally:
        _meter.reset(token)


def record_usage(usage: Usage) -> None:
    """Adds ``usage`` to the ``metered`` block it happened in, if any."""
    if (meter := _meter.get()) is not None:
        meter.add(usage)
