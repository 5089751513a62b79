"""The cost of calls is reserved before they are made, so spending limits hold for calls in sequence and side by side."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import openai
import pytest

from agents.costs.budget import Budget, LimitStatus, answer_limit, charge, reserved_cost, use_budget
from agents.costs.prices import dollars
from agents.costs.usage import Usage, metered
from agents.exceptions import SpendingLimitReached
from agents.llm.capabilities import ChatRequest
from agents.llm.chat import ChatModel
from tests.model_server import ModelServer

PROMPT = 3500  # bytes: 1,000 tokens, $0.0025 of gpt-4o; an answer of 750 tokens makes a cent
ANSWER = 750
CENT = Usage(calls=1, prompt_tokens=1000, completion_tokens=750)


class InMemoryBudget(Budget):
    """One spending limit for all calls, without a database."""

    def __init__(self, limit: str) -> None:
        super().__init__()
        self.limit = Decimal(limit)
        self.spent = self.reserved = Decimal(0)

    async def try_reserve(self, amount: Decimal) -> LimitStatus | None:
        message = f"This run has cost {dollars(self.spent)} of its {dollars(self.limit)} limit."
        status = LimitStatus(self.limit - self.spent, self.reserved, message, "Ask an editor to raise your limit")
        if not status.fits(amount):
            return status
        self.reserved += amount
        return None

    async def settle(self, amount: Decimal, cost: Decimal) -> None:
        self.reserved -= amount
        self.spent += cost


async def call(model: str = "gpt-4o", usage: Usage = CENT, seconds: float = 0.0) -> None:
    """Reserves, calls and charges as the model layer does."""
    async with reserved_cost(model, PROMPT, ANSWER):
        await asyncio.sleep(seconds)
        charge(usage.model_copy(), model)


async def outcomes(*calls: asyncio.Task[None]) -> list[str]:
    results = await asyncio.gather(*calls, return_exceptions=True)
    return [type(result).__name__ if result else "made" for result in results]


async def test_calls_in_sequence_stop_before_the_one_that_would_exceed_the_limit() -> None:
    with use_budget(InMemoryBudget("0.035")) as budget:
        for _ in range(3):
            await call()
        with pytest.raises(SpendingLimitReached):
            await call()
    assert budget.spent == Decimal("0.03")
    assert budget.reserved == 0


async def test_the_message_names_what_is_spent_the_limit_the_next_call_and_what_to_do() -> None:
    with use_budget(InMemoryBudget("0.005")), pytest.raises(SpendingLimitReached) as stopped:
        await call()
    assert str(stopped.value) == (
        "This run has cost $0.00 of its $0.0050 limit. The next call may cost up to $0.010."
        " Ask an editor to raise your limit, then resume."
    )


async def test_calls_side_by_side_do_not_exceed_it_together() -> None:
    with use_budget(InMemoryBudget("0.035")) as budget:
        made = await outcomes(*(asyncio.create_task(call(seconds=0.02)) for _ in range(8)))
    assert sorted(made) == ["SpendingLimitReached"] * 5 + ["made"] * 3
    assert budget.spent == Decimal("0.03")


async def test_a_call_waits_for_those_in_flight_because_they_may_cost_less_than_they_reserved() -> None:
    cheap = Usage(calls=1, prompt_tokens=1000)  # a quarter of a cent each
    with use_budget(InMemoryBudget("0.0201")) as budget:
        made = await outcomes(*(asyncio.create_task(call(usage=cheap, seconds=0.01)) for _ in range(4)))
    assert made == ["made"] * 4
    assert budget.spent == Decimal("0.01")


async def test_a_call_that_exceeds_the_limit_by_itself_does_not_wait() -> None:
    with use_budget(InMemoryBudget("0.011")):
        first = asyncio.create_task(call(seconds=5))
        await asyncio.sleep(0.01)
        with pytest.raises(SpendingLimitReached):
            async with asyncio.timeout(1), reserved_cost("gpt-4o", 10 * PROMPT, ANSWER):
                pass
        first.cancel()


async def test_a_failed_call_releases_its_reservation() -> None:
    async def refused() -> None:
        async with reserved_cost("gpt-4o", PROMPT, ANSWER):
            charge(Usage(calls=1), "gpt-4o")
            raise OSError("refused")

    with use_budget(InMemoryBudget("0.015")) as budget:
        with pytest.raises(OSError, match="refused"):
            await refused()
        assert (budget.spent, budget.reserved) == (Decimal(0), Decimal(0))
        await call()


async def test_a_model_without_a_price_is_not_limited_and_counted_as_unpriced() -> None:
    with use_budget(InMemoryBudget("0.001")) as budget, metered() as usage:
        await call("llama3.1")
    assert (usage.cost, usage.unpriced_calls) == (Decimal(0), 1)
    assert budget.spent == 0


async def test_a_call_that_used_nothing_is_not_counted_as_unpriced() -> None:
    with metered() as usage:
        charge(Usage(calls=1), "llama3.1")
    assert (usage.calls, usage.unpriced_calls) == (1, 0)


async def test_without_a_budget_calls_are_counted_and_not_limited() -> None:
    with metered() as usage:
        await call()
    assert (usage.cost, usage.calls) == (Decimal("0.01"), 1)


async def test_runs_side_by_side_have_their_own_budgets() -> None:
    async def run(limit: str, calls: int) -> Decimal:
        with use_budget(InMemoryBudget(limit)) as budget:
            for _ in range(calls):
                await call(seconds=0.001)
        return budget.spent

    assert list(await asyncio.gather(run("1", 5), run("1", 2))) == [Decimal("0.05"), Decimal("0.02")]


def largest(tokens: int) -> Usage:
    return Usage(calls=1, prompt_tokens=1000, completion_tokens=tokens)


async def test_an_agent_without_a_maximum_sends_the_reserved_answer_tokens() -> None:
    with use_budget(InMemoryBudget("1")) as budget:
        limit = answer_limit("gpt-4o", None)
        async with reserved_cost("gpt-4o", PROMPT, limit):
            assert limit == 4096
            assert budget.reserved == Decimal("0.043460"), "1,000 tokens of prompt and all of the answer"


async def test_the_reserved_answer_tokens_follow_the_longest_answer_of_the_model() -> None:
    with use_budget(InMemoryBudget("1")):
        charge(largest(200), "gpt-4o")
        assert answer_limit("gpt-4o", None) == 2048
        charge(largest(2000), "gpt-4o")
        charge(largest(300), "gpt-4o")
        assert answer_limit("gpt-4o", None) == 8000
        assert answer_limit("gpt-4o-mini", None) == 4096, "it has not answered yet"


async def test_no_maximum_is_sent_if_none_is_needed() -> None:
    assert answer_limit("gpt-4o", None) is None, "there is no budget"
    with use_budget(InMemoryBudget("1")):
        assert answer_limit("llama3.1", None) is None, "the model has no price"
        assert answer_limit("gpt-4o", 700) == 700, "the agent has its own"
    unlimited = InMemoryBudget("1")
    unlimited.limited = False
    with use_budget(unlimited):
        assert answer_limit("gpt-4o", None) is None, "there is no limit"


async def test_long_reasoning_does_not_exceed_the_limit() -> None:
    """16 calls at once that each use all their answer tokens stay below the limit."""

    async def thoughtful() -> None:
        limit = answer_limit("gpt-4o", None)
        assert limit
        async with reserved_cost("gpt-4o", PROMPT, limit):
            await asyncio.sleep(0.01)
            charge(largest(limit), "gpt-4o")

    with use_budget(InMemoryBudget("0.1")) as budget:
        await outcomes(*(asyncio.create_task(thoughtful()) for _ in range(16)))
    assert Decimal("0.04") < budget.spent <= Decimal("0.1")


async def test_a_call_under_a_spending_limit_is_sent_with_max_tokens(
    model_server: ModelServer, model_client: openai.AsyncOpenAI, slots: asyncio.Semaphore
) -> None:
    chat = ChatModel("gpt-4o", model_client, slots)
    with use_budget(InMemoryBudget("1")):
        await chat.text([{"role": "user", "content": "Say 20 words."}])
    await chat.text([{"role": "user", "content": "Say 20 words."}])
    sent, without = model_server.calls
    assert sent.body["max_completion_tokens"] == 4096
    assert "max_completion_tokens" not in without.body


def test_the_size_of_a_prompt_is_its_bytes() -> None:
    """A Chinese character is about a token, an English one a quarter of it."""
    english, chinese = (ChatRequest("m", [{"role": "user", "content": text}]) for text in ("roof" * 10, "屋顶" * 10))
    assert (english.size, chinese.size) == (40, 60)
