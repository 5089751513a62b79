"""Traces of runs: which trace a run belongs to, and the spans of its steps."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import django_rq

from agents.costs.usage import Usage
from agents.pipeline.steps import StepKey
from agents.tracing import conventions as names
from agents.tracing import is_traced, span

KEPT_SECONDS = 7 * 24 * 3600


def remember_trace(run_id: int, traceparent: str) -> None:
    """Keep what a run was requested by, for whoever executes it. Raises RedisError.

    In a key of its own, not with the job: a job executes the run that is next, which may be another one.
    """
    django_rq.get_queue("articles").connection.set(key_of(run_id), traceparent, ex=KEPT_SECONDS)


def trace_of(run_id: int) -> str:
    """The ``traceparent`` that was remembered for a run, or an empty string. Raises RedisError."""
    found = django_rq.get_queue("articles").connection.get(key_of(run_id))
    return found.decode() if isinstance(found, bytes) else ""


def key_of(run_id: int) -> str:
    return f"studio:trace:{run_id}"


@contextmanager
def traced_step(key: StepKey, usage: Usage) -> Iterator[None]:
    """A span of a step, with what ``usage`` has at its end."""
    if not is_traced():
        yield
        return
    attributes = {names.OPERATION: names.INVOKE_AGENT, names.AGENT: key.agent, names.STEP: str(key)}
    with span(f"{names.INVOKE_AGENT} {key.agent}", "INTERNAL", attributes) as step:
        try:
            yield
        finally:
            step.set(
                {
                    names.MODEL_CALLS: usage.calls,
                    names.INPUT_TOKENS: usage.prompt_tokens,
                    names.OUTPUT_TOKENS: usage.completion_tokens,
                    names.COST: float(usage.cost),
                }
            )
