"""Concurrent parts of a run: which failure is raised, and what happens to the other parts."""

from __future__ import annotations

import asyncio
import itertools

import pytest

from agents.exceptions import AgentError, FailureCode, ModelError, ProviderUnavailable, SpendingLimitReached
from agents.pipeline.context import run_concurrently

BUG = TypeError("a bug")
LIMIT = SpendingLimitReached("The limit is reached.")
INVALID_KEY = ModelError("The key is invalid.", code=FailureCode.MODEL_AUTH, permanent=True)
OUTAGE = ProviderUnavailable("The server is away.", model="m")
BAD_OUTPUT = ModelError("The answer is empty.", code=FailureCode.MODEL_BAD_OUTPUT)
BY_SEVERITY = [BUG, LIMIT, INVALID_KEY, OUTAGE, BAD_OUTPUT]


async def failing(error: Exception, seconds: float = 0.0) -> str:
    await asyncio.sleep(seconds)
    raise error


async def finishing(done: list[str], name: str, seconds: float = 0.0) -> str:
    await asyncio.sleep(seconds)
    done.append(name)
    return name


async def test_results_are_in_the_order_of_the_parts() -> None:
    done: list[str] = []
    assert await run_concurrently(finishing(done, "a", 0.02), finishing(done, "b")) == ["a", "b"]
    assert done == ["b", "a"]
    assert await run_concurrently() == []


@pytest.mark.parametrize(("worse", "other"), itertools.combinations(BY_SEVERITY, 2), ids=str)
async def test_the_most_serious_failure_is_raised_in_any_order(worse: Exception, other: Exception) -> None:
    for parts in ((worse, other), (other, worse)):
        with pytest.raises(type(worse)) as caught:
            await run_concurrently(*map(failing, parts))
        assert caught.value is worse


async def test_after_a_failure_the_other_parts_are_finished() -> None:
    done: list[str] = []
    with pytest.raises(ProviderUnavailable):
        await run_concurrently(failing(OUTAGE), finishing(done, "a", 0.05), failing(BAD_OUTPUT, 0.02))
    assert done == ["a"]


@pytest.mark.parametrize("others", [(), (failing,)])
async def test_a_permanent_failure_of_the_model_stops_the_other_parts(others: tuple[object, ...]) -> None:
    done: list[str] = []
    earlier = [failing(OUTAGE)] if others else []
    async with asyncio.timeout(5):
        with pytest.raises(ModelError, match="key is invalid"):
            await run_concurrently(*earlier, finishing(done, "a", 60), failing(INVALID_KEY, 0.02))
    assert done == []


async def test_cancelling_stops_all_parts() -> None:
    stopped: list[str] = []

    async def part(name: str) -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            await asyncio.sleep(0.01)  # as when it releases what it holds
            stopped.append(name)
            raise

    whole = asyncio.create_task(run_concurrently(part("a"), part("b")))
    await asyncio.sleep(0.02)
    whole.cancel()
    with pytest.raises(asyncio.CancelledError):
        await whole
    assert stopped == ["a", "b"]


async def test_an_unexpected_failure_is_raised_instead_of_an_expected_one() -> None:
    with pytest.raises(TypeError):
        await run_concurrently(failing(AgentError("expected")), failing(BUG, 0.01))
