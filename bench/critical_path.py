"""The critical path of a run, computed from the simulated model's log: the least time any pipeline needs for these calls."""

from __future__ import annotations

from collections.abc import Sequence

from bench.simulated_model import Call


def critical_path(calls: Sequence[Call]) -> list[Call]:
    """The longest chain of calls of which each began after the one before it had ended, in order of time.

    Goes back from the call that ended last to the latest one that ended before it began, and so on. A call that starts
    while another one still streams breaks the chain there, so the true path may be longer than this one, never shorter.
    """
    chain = sorted(calls, key=lambda call: call.end)[-1:]
    while chain and (earlier := [call for call in calls if call.end <= chain[0].start]):
        chain.insert(0, max(earlier, key=lambda call: call.end))
    return chain


def total_seconds(calls: Sequence[Call]) -> float:
    return sum(call.end - call.start for call in calls)
