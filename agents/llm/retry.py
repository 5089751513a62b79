"""The retry rule of model calls: which failures are retried, how often, after what pause, and when a call is given up.

No other layer retries (the client and CrewAI do not), because the attempts of two layers multiply.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar, cast

import tenacity
from django.conf import settings

from agents.llm.errors import Fault, diagnose

log = logging.getLogger(__name__)

Result = TypeVar("Result")

ATTEMPTS = 6
FIRST_PAUSE = 0.5  # seconds, doubled with each attempt
MAX_PAUSE = 60.0  # seconds; if a server asks for more, the run is parked instead


class Patience:
    """The time left for a call with all its attempts: LLM_PATIENCE. Waiting for a slot or for the budget does not count."""

    def __init__(self) -> None:
        self.left: float = settings.LLM_PATIENCE

    @contextmanager
    def spend(self) -> Iterator[float]:
        """Subtracts the duration of the block. Yields the time left at its start."""
        started = time.monotonic()
        try:
            yield self.left
        finally:
            self.left -= time.monotonic() - started


async def with_retries(
    call: Callable[[], Awaitable[Result]],
    model: str,
    *,
    attempts: int = ATTEMPTS,
    patience: Patience | None = None,
    setting: str = "LLM_MODEL",
) -> Result:
    """The result of ``call``, repeated while it fails with a temporary fault.

    ``setting`` is the one that names ``model``, for messages. Raises ModelError or ProviderUnavailable when it gives up, and
    whatever ``call`` raises that is no fault of the model.
    """

    def fault_of(state: tenacity.RetryCallState) -> Fault:
        error = cast(tenacity.Future, state.outcome).exception()
        return cast(Fault, diagnose(cast(Exception, error), model, setting))

    def is_exhausted(state: tenacity.RetryCallState) -> bool:
        out_of_patience = patience is not None and patience.left <= state.upcoming_sleep
        return state.attempt_number >= attempts or out_of_patience

    def before_pause(state: tenacity.RetryCallState) -> None:
        if patience is not None:
            patience.left -= state.upcoming_sleep
        log.warning("%s: retrying in %.1f s: %s", model, state.upcoming_sleep, fault_of(state).reason)

    retrying = tenacity.AsyncRetrying(
        retry=tenacity.retry_if_exception(lambda error: is_temporary(diagnose(error, model, setting))),
        wait=lambda state: pause(fault_of(state), state.attempt_number),
        stop=is_exhausted,
        before_sleep=before_pause,
        sleep=asyncio.sleep,
        reraise=True,
    )
    try:
        return await retrying(call)
    except Exception as error:
        fault = diagnose(error, model, setting)
        if fault is None:
            raise
        made = int(retrying.statistics["attempt_number"])
        log.warning("%s: gave up after attempt %d: %s", model, made, fault.reason)
        raise fault.as_exception(made, model) from error


def is_temporary(fault: Fault | None) -> bool:
    """Whether another attempt can help after a pause of at most ``MAX_PAUSE``."""
    return fault is not None and not fault.permanent and (fault.retry_after or 0) <= MAX_PAUSE


def pause(fault: Fault, attempt: int) -> float:
    """Seconds before the next attempt: what the server asked for, else doubling, with jitter so that callers spread out."""
    if fault.retry_after is not None:
        return fault.retry_after + random.uniform(0, 0.25)  # noqa: S311
    return float(FIRST_PAUSE * 2 ** (attempt - 1) * random.uniform(0.75, 1.25))  # noqa: S311
