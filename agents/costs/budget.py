"""Money while it is spent: a call is reserved_cost before it is made and paid after it, however it ends.

What a call may cost at most is set aside first, so that no ceiling is passed by calls that were each small enough: neither by
those of a run side by side, nor by those of runs in several processes. Where there is a ceiling the call is sent with a limit,
and what it may take is what was set aside; only a server that takes no limits can pass it, by what its answers are longer.
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

from agents.costs.prices import dollars, prices
from agents.costs.usage import Usage, record_usage
from agents.exceptions import SpendingLimitReached

BYTES_PER_TOKEN = 3.5
"""Of prompts, in UTF-8; fewer than the four of plain English, so that the estimate errs upwards. A Chinese character has three
bytes, and mostly less than one token."""

FIRST_ANSWER_TOKENS, MIN_ANSWER_TOKENS = 4096, 2048
"""What an answer may take at least where its agent has no limit: several times a long section. Whether a model thinks, and how
long, is known once it has answered."""

ANSWER_GROWTH = 4
"""How many times the largest answer of a model in this run its next one may take."""

SIX_PLACES = Decimal("0.000001")
"""To which money is counted, here and in the store, so that sums of the same calls are the same."""

POLL_SECONDS = 0.2
"""How often a call that waits for others to end looks whether it fits."""


@dataclass(frozen=True)
class LimitStatus:
    """A ceiling as it stands now: ``remaining`` US dollars below it, of which ``reserved`` are set aside for calls in flight.

    ``message`` says how much of it is used up, as a sentence.
    """

    remaining: Decimal
    reserved: Decimal
    message: str

    def fits(self, amount: Decimal) -> bool:
        return self.reserved + amount <= self.remaining


class Budget(ABC):
    """What a run may spend.

    ``pending_cost`` is what its calls have cost and ``settle`` has not counted yet.

    ``limited`` tells that there is a ceiling; ``largest_answer`` is the longest answer of each model so far, in tokens.
    """

    def __init__(self, *, limited: bool = True) -> None:
        self.limited = limited
        self.largest_answer: dict[str, int] = {}
        self.pending_cost = Decimal(0)
        self._turn = asyncio.Lock()

    @abstractmethod
    async def try_reserve(self, amount: Decimal) -> LimitStatus | None:
        """Set ``amount`` aside, or return the ceiling it does not fit under."""

    @abstractmethod
    async def settle(self, amount: Decimal, cost: Decimal) -> None:
        """Give back what was set aside for a call that has ended, and count what calls have cost."""

    async def reserve(self, amount: Decimal) -> None:
        """Set ``amount`` aside. Raises SpendingLimitReached where it would pass a ceiling.

        Where only what is set aside for calls in flight stands in the way it waits for them: their answers mostly cost less.
        """
        async with self._turn:
            while tight := await self.try_reserve(amount):
                if amount > tight.remaining:
                    raise SpendingLimitReached(
                        f"{tight.message} The next call may cost up to {dollars(amount)}."
                        " Raise it in the admin under Spending limits, then resume."
                    )
                await asyncio.sleep(POLL_SECONDS)

    def max_answer_tokens(self, model: str) -> int:
        """Tokens the next answer of ``model`` may take, those it thinks with among them."""
        largest = self.largest_answer.get(model, 0)
        return max(MIN_ANSWER_TOKENS, ANSWER_GROWTH * largest) if largest else FIRST_ANSWER_TOKENS

    async def release(self, amount: Decimal) -> None:
        """Of a call that has ended, however it did."""
        cost, self.pending_cost = self.pending_cost, Decimal(0)
        await self.settle(amount, cost)


_budget: ContextVar[Budget | None] = ContextVar("budget", default=None)


@contextmanager
def use_budget(budget: Budget) -> Iterator[Budget]:
    """Let the calls inside the block, in this task and the tasks it starts, be paid from ``budget``."""
    token = _budget.set(budget)
    try:
        yield budget
    finally:
        _budget.reset(token)


def answer_limit(model: str, own: int | None) -> int | None:
    """The limit of tokens to send with a call of ``model``: its agent's ``own``, else what is set aside under a ceiling."""
    budget = _budget.get()
    if own is not None or budget is None or not budget.limited or prices().of(model) is None:
        return own
    return budget.max_answer_tokens(model)


@asynccontextmanager
async def reserved_cost(model: str, prompt_bytes: int, answer_tokens: int | None = None) -> AsyncIterator[None]:
    """Make one call of ``model`` inside the block, where the ceilings leave enough for it. Raises SpendingLimitReached.

    A call of a model without a price goes ahead: what it costs is not known, and is told as such.
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
    """Price a call of ``model`` and count it. Told by the model boundary after each call, of use or not."""
    if price := prices().of(model):
        usage.cost = price.of(usage).quantize(SIX_PLACES)
    elif usage.prompt_tokens or usage.completion_tokens or usage.pictures:
        usage.unpriced_calls = usage.calls
    record_usage(usage)
    if (budget := _budget.get()) is not None:
        budget.pending_cost += usage.cost
        budget.largest_answer[model] = max(budget.largest_answer.get(model, 0), usage.completion_tokens)
