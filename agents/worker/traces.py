"""The span of a run, which continues the trace of the request for it."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from asgiref.sync import sync_to_async
from redis.exceptions import RedisError
from structlog.contextvars import bind_contextvars

from agents.exceptions import ApprovalRequired
from agents.tracing import NO_SPAN, Span, is_enabled, span
from agents.tracing import conventions as names
from agents.tracing.spans import Attributes, error_type
from articles.exceptions import LeaseLost, WorkerStopped
from articles.runs.lease import Claim
from articles.runs.traces import trace_of

log = logging.getLogger(__name__)

WORKFLOW = "article"
NO_FAILURES = (ApprovalRequired, LeaseLost, WorkerStopped)


@asynccontextmanager
async def traced_run(claim: Claim) -> AsyncIterator[Span]:
    """A span around the block, whose trace is that of the request, or a new one if that is unknown."""
    if not is_enabled():
        yield NO_SPAN
        return
    try:
        parent = await sync_to_async(trace_of)(claim.run_id)
    except (RedisError, OSError) as error:
        log.info("run %s gets a trace of its own, Redis does not answer: %s", claim.run_id, error)
        parent = ""
    attributes: Attributes = {
        names.OPERATION: names.INVOKE_WORKFLOW,
        names.WORKFLOW: WORKFLOW,
        names.RUN_ID: claim.run_id,
        names.ARTICLE_ID: claim.article_id,
        names.ATTEMPT: claim.attempt,
    }
    with span(f"{names.INVOKE_WORKFLOW} {WORKFLOW}", "CONSUMER", attributes, parent=parent) as run:
        bind_contextvars(trace_id=run.trace_id)
        run.set({names.OUTCOME: "completed"})
        yield run


def note_outcome(run: Span, error: Exception) -> None:
    """Why a run was not completed. To wait for an approval, or to be handed over, is no failure."""
    if isinstance(error, NO_FAILURES):
        run.set({names.OUTCOME: type(error).__name__})
    else:
        run.set({names.OUTCOME: error_type(error)})
        run.fail(error_type(error))
