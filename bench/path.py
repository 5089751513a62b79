"""The critical path of a run, read from the model's own log: what no pipeline that makes these calls could do faster."""

from __future__ import annotations

from collections.abc import Sequence

from bench.simulated_model import Call


def critical_path(calls: Sequence[Call]) -> list[Call]:
    """The chain of calls that could not overlap, first one first.

    Walks back from the call that ended last to the latest one that had ended before it began, and so on. A call that waits
    for a part of a stream begins before that stream has ended; the chain is then longer than this one, never shorter.
    """
    chain = sorted(calls, key=lambda call: call.end)[-1:]
    while chain and (earlier := [call for call in calls if call.end <= chain[0].start]):
        chain.insert(0, max(earlier, key=lambda call: call.end))
    return chain


def seconds(calls: Sequence[Call]) -> float:
    return sum(call.end - call.start for call in calls)
