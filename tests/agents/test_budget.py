"""Calls are reserved_cost before they are made: ceilings hold for calls one after another and side by side."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import openai
import pytest

from agents.costs.budget import Budget, LimitStatus, answer_limit, charge, reserved_cost, use_budget
from agents.costs.prices import dollars
from agents.costs.usage import Usage, metered
from agents.exceptions import SpendingLimitReached
from agents.llm.capabilities import Question
from agents.llm.chat import Endpoint
from tests.model_server import ModelServer

PROMPT = 3500  # bytes: 1,000 tokens, $0.0025 of gpt-4o; an answer of 750 tokens makes a cent
ANSWER = 750
CENT = Usage(calls=1, prompt_tokens=1000, completion_tokens=750)


class Pocket(Budget):
    """A budget of its own, without a store: one ceiling over the calls it pays."""

    def __init__(self, ceiling: str) -> None:
        super().__init__()
        self.ceiling = Decimal(ceiling)
        self.spent = self.reserved = Decimal(0)

    async def try_reserve(self, amount: Decimal) -> LimitStatus | None:
        told = f"This run has cost {dollars(self.spent)} of the {dollars(self.ceiling)}."
        limit = LimitStatus(self.ceiling - self.spent, self.reserved, told)
        if not limit.fits(amount):
            return limit
        self.reserved += amount
        return None

    async def settle(self, amount: Decimal, cost: Decimal) -> None:
        self.reserved -= amount
        self.spent += cost


async def call(model: str = "gpt-4o", usage: Usage = CENT, seconds: float = 0.0) -> None:
    """As the model boundary makes one: what it cost is told however it ends."""
    async with reserved_cost(model, PROMPT, ANSWER):
        await asyncio.sleep(seconds)
        charge(usage.model_copy(), model)


async def outcomes(*calls: asyncio.Task[None]) -> list[str]:
    results = await asyncio.gather(*calls, return_exceptions=True)
    return [type(result).__name__ if result else "made" for result in results]


async def test_calls_one_after_another_stop_before_the_one_that_would_pass_the_ceiling() -> None:
    with use_budget(Pocket("0.035")) as budget:
        for _ in range(3):
            await call()
        with pytest.raises(SpendingLimitReached):
            await call()
    assert budget.spent == Decimal("0.03")
    assert budget.reserved == 0


async def test_the_reason_tells_spent_ceiling_next_call_and_what_to_do() -> None:
    with use_budget(Pocket("0.005")), pytest.raises(SpendingLimitReached) as stopped:
        await call()
    assert str(stopped.value) == (
        "This run has cost $0.00 of the $0.0050. The next call may cost up to $0.010."
        " Raise it in the admin under Spending limits, then resume."
    )


async def test_calls_side_by_side_do_not_pass_it_together() -> None:
    with use_budget(Pocket("0.035")) as budget:
        made = await outcomes(*(asyncio.create_task(call(seconds=0.02)) for _ in range(8)))
    assert sorted(made) == ["SpendingLimitReached"] * 5 + ["made"] * 3
    assert budget.spent == Decimal("0.03")


async def test_a_call_waits_for_those_in_flight_as_they_may_cost_less_than_was_set_aside() -> None:
    cheap = Usage(calls=1, prompt_tokens=1000)  # a quarter of a cent each
    with use_budget(Pocket("0.0201")) as budget:
        made = await outcomes(*(asyncio.create_task(call(usage=cheap, seconds=0.01)) for _ in range(4)))
    assert made == ["made"] * 4
    assert budget.spent == Decimal("0.01")


async def test_what_cannot_fit_even_alone_does_not_wait() -> None:
    with use_budget(Pocket("0.011")):
        first = asyncio.create_task(call(seconds=5))
        await asyncio.sleep(0.01)
        with pytest.raises(SpendingLimitReached):
            async with asyncio.timeout(1), reserved_cost("gpt-4o", 10 * PROMPT, ANSWER):
                pass
        first.cancel()


async def test_a_call_that_fails_gives_back_what_was_set_aside() -> None:
    async def refused() -> None:
        async with reserved_cost("gpt-4o", PROMPT, ANSWER):
            charge(Usage(calls=1), "gpt-4o")
            raise OSError("refused")

    with use_budget(Pocket("0.015")) as budget:
        with pytest.raises(OSError, match="refused"):
            await refused()
        assert (budget.spent, budget.reserved) == (0, 0)
        await call()


async def test_a_model_without_a_price_goes_ahead_and_is_told_as_unpriced() -> None:
    with use_budget(Pocket("0.001")) as budget, metered() as usage:
        await call("llama3.1")
    assert (usage.cost, usage.unpriced_calls) == (0, 1)
    assert budget.spent == 0


async def test_a_call_that_used_nothing_is_not_told_as_unpriced() -> None:
    with metered() as usage:
        charge(Usage(calls=1), "llama3.1")
    assert (usage.calls, usage.unpriced_calls) == (1, 0)


async def test_without_a_purse_calls_are_counted_and_not_held_back() -> None:
    with metered() as usage:
        await call()
    assert (usage.cost, usage.calls) == (Decimal("0.01"), 1)


async def test_purses_of_runs_side_by_side_are_apart() -> None:
    async def run(ceiling: str, calls: int) -> Decimal:
        with use_budget(Pocket(ceiling)) as budget:
            for _ in range(calls):
                await call(seconds=0.001)
        return budget.spent

    assert await asyncio.gather(run("1", 5), run("1", 2)) == [Decimal("0.05"), Decimal("0.02")]


def largest(tokens: int) -> Usage:
    return Usage(calls=1, prompt_tokens=1000, completion_tokens=tokens)


async def test_without_a_limit_of_its_own_an_answer_is_sent_with_what_is_set_aside_for_it() -> None:
    with use_budget(Pocket("1")) as budget:
        limit = answer_limit("gpt-4o", None)
        async with reserved_cost("gpt-4o", PROMPT, limit):
            assert limit == 4096
            assert budget.reserved == Decimal("0.043460"), "1,000 tokens of prompt and all of the answer"


async def test_what_an_answer_may_take_grows_with_what_was_seen_of_its_model() -> None:
    with use_budget(Pocket("1")):
        charge(largest(200), "gpt-4o")
        assert answer_limit("gpt-4o", None) == 2048
        charge(largest(2000), "gpt-4o")
        charge(largest(300), "gpt-4o")
        assert answer_limit("gpt-4o", None) == 8000
        assert answer_limit("gpt-4o-mini", None) == 4096, "nothing is known of it yet"


async def test_no_limit_is_sent_where_none_is_needed() -> None:
    assert answer_limit("gpt-4o", None) is None, "nobody counts"
    with use_budget(Pocket("1")):
        assert answer_limit("llama3.1", None) is None, "it has no price"
        assert answer_limit("gpt-4o", 700) == 700, "its agent has one"
    unlimited = Pocket("1")
    unlimited.limited = False
    with use_budget(unlimited):
        assert answer_limit("gpt-4o", None) is None, "there is no ceiling"


async def test_models_that_think_at_length_do_not_pass_a_ceiling_together() -> None:
    """They take all they may, as those that think do: 16 at once stay below."""

    async def thoughtful() -> None:
        limit = answer_limit("gpt-4o", None)
        assert limit
        async with reserved_cost("gpt-4o", PROMPT, limit):
            await asyncio.sleep(0.01)
            charge(largest(limit), "gpt-4o")

    with use_budget(Pocket("0.1")) as budget:
        await outcomes(*(asyncio.create_task(thoughtful()) for _ in range(16)))
    assert Decimal("0.04") < budget.spent <= Decimal("0.1")


async def test_a_call_under_a_ceiling_is_sent_with_a_limit(
    model_server: ModelServer, model_client: openai.AsyncOpenAI, slots: asyncio.Semaphore
) -> None:
    endpoint = Endpoint("gpt-4o", model_client, slots)
    with use_budget(Pocket("1")):
        await endpoint.text([{"role": "user", "content": "Say 20 words."}])
    await endpoint.text([{"role": "user", "content": "Say 20 words."}])
    sent, without = model_server.calls
    assert sent.body["max_completion_tokens"] == 4096
    assert "max_completion_tokens" not in without.body


def test_a_prompt_is_reckoned_by_its_bytes() -> None:
    """A Chinese character is about a token, an English one a quarter of it."""
    english, chinese = (Question("m", [{"role": "user", "content": text}]) for text in ("roof" * 10, "屋顶" * 10))
    assert (english.size, chinese.size) == (40, 60)
