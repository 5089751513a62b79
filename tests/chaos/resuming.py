"""How long runs took to resume after a kill, and what delayed the slowest."""

from __future__ import annotations

import statistics
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.chaos.killing import Kill
from tests.chaos.witness import Log, at


@dataclass(frozen=True)
class Resumption:
    """A run that resumed. ``missed`` and ``seconds`` count from the kill: until the run was requeued, and until the first
    event of its next worker. ``meanwhile`` lists what else was killed before that.
    """

    kind: str
    article: int
    missed: float
    seconds: float
    meanwhile: Sequence[str]


def resumptions(kills: Sequence[Kill], logs: Mapping[int, Log]) -> list[Resumption]:
    """One for each run whose worker was killed."""
    each = [
        resumption(kill, article, logs[article], kills) for kill in kills for article in kill.victims if article in logs
    ]
    return [one for one in each if one]


def resumption(kill: Kill, article: int, log: Log, kills: Sequence[Kill]) -> Resumption | None:
    """None if the worker had released the article before the kill."""
    later = [event for event in log if at(event) >= kill.when]
    lost = next((event for event in later if event.get("new_status") == "pending"), None)
    if lost is None:
        return None
    taken = (at(event) for event in later if event["seq"] > lost["seq"] and event.get("new_status") == "processing")
    end = next(taken, float("inf"))
    meanwhile = [other.kind for other in kills if kill.when < other.when < end]
    return Resumption(kill.kind, article, at(lost) - kill.when, end - kill.when, meanwhile)


def report(resumed: Sequence[Resumption]) -> str:
    """Seconds for all and for each kind of kill, and what happened during the three slowest."""
    kinds: dict[str, list[Resumption]] = defaultdict(list)
    for each in resumed:
        kinds[each.kind].append(each)
    lines = [line("all", resumed), *(line(kind, kinds[kind]) for kind in sorted(kinds))]
    slowest = sorted(resumed, key=lambda each: -each.seconds)[:3]
    return "\n".join(["runs that lost their worker      missed after   resumed after", *lines, *map(story, slowest)])


def line(name: str, resumed: Sequence[Resumption]) -> str:
    missed, seconds = [each.missed for each in resumed], [each.seconds for each in resumed]
    return f"{len(resumed):5} {name:16}{spread(missed):>23}{spread(seconds):>16}"


def spread(seconds: Sequence[float]) -> str:
    """``3.6 (28.4)``: the median and the maximum."""
    return f"{statistics.median(seconds):.1f} ({max(seconds):.1f})"


def story(slow: Resumption) -> str:
    others = ", ".join(f"{count} {kind}" for kind, count in Counter(slow.meanwhile).most_common()) or "nothing"
    return f"article {slow.article} resumed after {slow.seconds:.1f} s; its {slow.kind} was killed, then {others}"
