"""The retry rule: what is retried, after which pause, and what counts against LLM_PATIENCE."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import openai
import pytest
from django.conf import LazySettings

from agents.costs.budget import use_budget
from agents.exceptions import FailureCode, ModelError, ProviderUnavailable
from agents.llm.chat import ChatModel
from agents.llm.errors import Fault, UnusableAnswer
from agents.llm.retry import ATTEMPTS, MAX_PAUSE, Patience, pause, with_retries
from tests.agents.test_budget import InMemoryBudget
from tests.model_server import ModelServer

ASK = [{"role": "user", "content": "About 20 words, please."}]


class FakeCall:
    """Fails with ``faults`` in turn, then returns."""

    def __init__(self, *faults: Fault | Exception) -> None:
        self.faults = list(faults)
        self.attempts = 0

    async def __call__(self) -> str:
        self.attempts += 1
        if not self.faults:
            return "done"
        fault = self.faults.pop(0)
        if isinstance(fault, Exception):
            raise fault
        error = UnusableAnswer(fault.reason, fault.code)
        error.fault = fault
        raise error


BUSY = Fault("Busy.", FailureCode.MODEL_UNAVAILABLE, retry_after=0.0)


async def test_a_temporary_fault_is_retried() -> None:
    call = FakeCall(BUSY, BUSY)
    assert await with_retries(call, "m") == "done"
    assert call.attempts == 3


async def test_it_gives_up_after_the_last_attempt_and_says_how_many_there_were() -> None:
    call = FakeCall(*[BUSY] * 99)
    with pytest.raises(ProviderUnavailable, match=rf"Busy\. \({ATTEMPTS} attempts\)") as caught:
        await with_retries(call, "m")
    assert call.attempts == ATTEMPTS
    assert caught.value.model == "m"


async def test_a_permanent_fault_is_not_retried() -> None:
    call = FakeCall(Fault("Refused.", FailureCode.MODEL_AUTH, permanent=True))
    with pytest.raises(ModelError, match="Refused") as caught:
        await with_retries(call, "m")
    assert (call.attempts, caught.value.code, caught.value.permanent) == (1, FailureCode.MODEL_AUTH, True)


async def test_a_pause_longer_than_the_maximum_is_not_made() -> None:
    call = FakeCall(Fault("Slow.", FailureCode.MODEL_RATE_LIMITED, retry_after=MAX_PAUSE + 1))
    with pytest.raises(ProviderUnavailable) as caught:
        await with_retries(call, "m")
    assert (call.attempts, caught.value.retry_after) == (1, MAX_PAUSE + 1)


async def test_a_bug_is_raised_unchanged() -> None:
    call = FakeCall(TypeError("a bug"))
    with pytest.raises(TypeError, match="a bug"):
        await with_retries(call, "m")
    assert call.attempts == 1


async def test_a_pause_longer_than_the_remaining_patience_is_not_made(settings: LazySettings) -> None:
    settings.LLM_PATIENCE = 1.0
    call = FakeCall(Fault("Busy.", FailureCode.MODEL_UNAVAILABLE, retry_after=2.0))
    async with asyncio.timeout(1.5):
        with pytest.raises(ProviderUnavailable):
            await with_retries(call, "m", patience=Patience())


def test_pauses_double_with_each_attempt() -> None:
    for attempt, seconds in enumerate([0.5, 1.0, 2.0, 4.0], 1):
        assert seconds * 0.75 <= pause(Fault("Busy."), attempt) <= seconds * 1.25


def test_the_pause_is_what_the_server_asks_for() -> None:
    assert 7.0 <= pause(Fault("Busy.", retry_after=7.0), 1) <= 7.25


# The budget and the slots


async def test_calls_that_wait_for_a_spending_limit_leave_the_slots_to_others(
    model_client: openai.AsyncOpenAI, model_server: ModelServer
) -> None:
    chat = ChatModel("gpt-4o", model_client, asyncio.Semaphore(8))
    with use_budget(InMemoryBudget("1")) as budget:
        budget.reserved = Decimal("1")  # for calls in flight elsewhere
        waiting = [asyncio.create_task(chat.text(ASK)) for _ in range(8)]
    await asyncio.sleep(0.05)
    async with asyncio.timeout(30):
        assert await chat.text(ASK), "the article of another user"
    assert not any(call.done() for call in waiting)
    budget.reserved = Decimal(0)
    assert all(await asyncio.gather(*waiting))


async def test_patience_does_not_end_while_waiting_for_a_spending_limit(
    model_client: openai.AsyncOpenAI, model_server: ModelServer, settings: LazySettings
) -> None:
    chat = ChatModel("gpt-4o", model_client, asyncio.Semaphore(1))
    assert await chat.text(ASK), "the first call also takes the time of the client's late imports"
    settings.LLM_PATIENCE = 1.0
    model_server.fail(status=503, retry_after=0.0)  # there is a second attempt only if patience is left
    with use_budget(InMemoryBudget("1")) as budget:
        budget.reserved = Decimal("1")
        call = asyncio.create_task(chat.text(ASK))
    await asyncio.sleep(1.2)
    budget.reserved = Decimal(0)
    assert await call


async def test_patience_does_not_end_while_waiting_for_a_slot(
    model_client: openai.AsyncOpenAI, model_server: ModelServer, settings: LazySettings
) -> None:
    slots = asyncio.Semaphore(1)
    chat = ChatModel("m", model_client, slots)
    assert await chat.text(ASK), "the first call also takes the time of the client's late imports"
    settings.LLM_PATIENCE = 1.0
    model_server.fail(status=503, retry_after=0.0)
    async with slots:
        call = asyncio.create_task(chat.text(ASK))
        await asyncio.sleep(1.2)
    assert await call
