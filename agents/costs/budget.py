"""Reserves the maximum cost of a model call before it is made, and settles the actual cost afterwards.

Reserving first keeps calls that run side by side, also in several processes, from exceeding a spending limit together. Under a
limit, a call is sent with the number of answer tokens it reserved, so only a server that ignores that number can exceed it.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from decimal import ROUND_UP, Decimal
from math import ceil
from typing import TypeVar

from agents.costs.prices import dollars, prices
from agents.costs.usage import Usage, record_usage
from agents.exceptions import SpendingLimitReached

BYTES_PER_TOKEN = 3.5
"""Of prompts, in UTF-8. Less than the four of plain English, so that the estimate is too high rather than too low. A Chinese
character has three bytes and usually less than one token."""

FIRST_ANSWER_TOKENS, MIN_ANSWER_TOKENS = 4096, 2048
"""Answer tokens to reserve if the agent sets no maximum, before and after the model's first answer. Both are several times a long
section, because how many tokens a model uses for reasoning is only known from its answers."""

ANSWER_GROWTH = 4
"""The next answer of a model may be this many times as long as its longest one in this run."""

SIX_PLACES = Decimal("0.000001")
"""Precision of costs, here and in the database, so that both sum the same calls to the same amount."""

POLL_SECONDS = 0.2
"""How often a call that waits for others to end tries again to reserve."""


@dataclass(frozen=True)
class LimitStatus:
    """A spending limit now: ``remaining`` US dollars are unspent, of which ``reserved`` are for calls in flight.

    ``message`` says how much is spent, as a sentence. ``advice`` says how to raise the limit, without a full stop.
    """

    remaining: Decimal
    reserved: Decimal
    message: str
    advice: str

    def fits(self, amount: Decimal) -> bool:
        return self.reserved + amount <= self.remaining


class Budget(ABC):
    """What a run may spend.

    ``limited`` is False if no limit applies. ``largest_answer`` is the longest answer of each model so far, in tokens.
    ``pending_cost`` is the cost of calls that ``settle`` has not counted yet.
    """

    def __init__(self, *, limited: bool = True) -> None:
        self.limited = limited
        self.largest_answer: dict[str, int] = {}
        self.pending_cost = Decimal(0)
        self._turn = asyncio.Lock()

    @abstractmethod
    async def try_reserve(self, amount: Decimal) -> LimitStatus | None:
        """Reserves ``amount``, or returns the limit it would exceed."""

    @abstractmethod
    async def settle(self, amount: Decimal, cost: Decimal) -> None:
        """Releases the reserved ``amount`` of a call that has ended, and counts ``cost``."""

    async def reserve(self, amount: Decimal) -> None:
        """Raises SpendingLimitReached if ``amount`` exceeds what is unspent.

        Waits if it only exceeds what is unreserved: calls in flight usually cost less than they reserved.
        """
        async with self._turn:
            while limit := await self.try_reserve(amount):
                if amount > limit.remaining:
                    raise SpendingLimitReached(
                        f"{limit.message} The next call may cost up to {dollars(amount)}. {limit.advice}, then resume."
                    )
                await asyncio.sleep(POLL_SECONDS)

    def max_answer_tokens(self, model: str) -> int:
        """For the next answer of ``model``, including its reasoning."""
        largest = self.largest_answer.get(model, 0)
        return max(MIN_ANSWER_TOKENS, ANSWER_GROWTH * largest) if largest else FIRST_ANSWER_TOKENS

    async def release(self, amount: Decimal) -> None:
        """Settles a call that has ended, whether it succeeded or not."""
        cost, self.pending_cost = self.pending_cost, Decimal(0)
        await self.settle(amount, cost)


OneBudget = TypeVar("OneBudget", bound=Budget)
_budget: ContextVar[Budget | None] = ContextVar("budget", default=None)


@contextmanager
def use_budget(budget: OneBudget) -> Iterator[OneBudget]:
    """Calls inside the block, in this task and the tasks it starts, are paid from ``budget``."""
    token = _budget.set(budget)
    try:
        yield budget
    finally:
        _budget.reset(token)


def answer_limit(model: str, own: int | None) -> int | None:
    """Max answer tokens to send with a call: the agent's ``own``, else what is reserved for it under a spending limit."""
    budget = _budget.get()
    if own is not None or budget is None or not budget.limited or prices().of(model) is None:
        return own
    return budget.max_answer_tokens(model)


@asynccontextmanager
async def reserved_cost(model: str, prompt_bytes: int, answer_tokens: int | None = None) -> AsyncIterator[None]:
    """Reserves the maximum cost of one call of ``model``, which is made inside the block. Raises SpendingLimitReached.

    A model without a price is not limited: its calls are counted as unpriced.
    """
    budget, price = _budget.get(), prices().of(model)
    if budget is None or price is None:
        yield
        return
    tokens = ceil(prompt_bytes / BYTES_PER_TOKEN), answer_tokens or budget.max_answer_tokens(model)
    amount = price.at_most(*tokens).quantize(SIX_PLACES, ROUND_UP)
    await budget.reserve(amount)
    try:
        yield
    finally:
        await budget.release(amount)


def charge(usage: Usage, model: str) -> None:
    """Counts a call of ``model`` and its cost. To be called after each call, also after one that failed."""
    if price := prices().of(model):
        usage.cost = price.of(usage).quantize(SIX_PLACES)
    elif usage.prompt_tokens or usage.completion_tokens or usage.pictures:
        usage.unpriced_calls = usage.calls
    record_usage(usage)
    if (budget := _budget.get()) is not None:
        budget.pending_cost += usage.cost
        budget.largest_answer[model] = max(budget.largest_answer.get(model, 0), usage.completion_tokens)
