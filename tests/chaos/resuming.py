"""How soon the runs went on whose worker was killed, and of which kill they went on late."""

from __future__ import annotations

import statistics
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.chaos.killing import Kill
from tests.chaos.witness import Log, at


@dataclass(frozen=True)
class Resumption:
    """A run that went on. ``missed`` and ``seconds`` are from the kill: until it was known to be lost, and until its next
    worker's first event. ``meanwhile`` is what else was killed before that.
    """

    kind: str
    article: int
    missed: float
    seconds: float
    meanwhile: Sequence[str]


def resumptions(kills: Sequence[Kill], logs: Mapping[int, Log]) -> list[Resumption]:
    """One for each run that a kill took the worker of."""
    each = [
        resumption(kill, article, logs[article], kills) for kill in kills for article in kill.victims if article in logs
    ]
    return [one for one in each if one]


def resumption(kill: Kill, article: int, log: Log, kills: Sequence[Kill]) -> Resumption | None:
    """None where the worker had let go of the article before it was killed."""
    later = [event for event in log if at(event) >= kill.when]
    lost = next((event for event in later if event.get("new_status") == "pending"), None)
    if lost is None:
        return None
    taken = (at(event) for event in later if event["seq"] > lost["seq"] and event.get("new_status") == "processing")
    end = next(taken, float("inf"))
    meanwhile = [other.kind for other in kills if kill.when < other.when < end]
    return Resumption(kill.kind, article, at(lost) - kill.when, end - kill.when, meanwhile)


def told(resumed: Sequence[Resumption]) -> str:
    """Seconds for all and for each kind of kill, and what happened during the three slowest."""
    kinds: dict[str, list[Resumption]] = defaultdict(list)
    for each in resumed:
        kinds[each.kind].append(each)
    lines = [line("all", resumed), *(line(kind, kinds[kind]) for kind in sorted(kinds))]
    slowest = sorted(resumed, key=lambda each: -each.seconds)[:3]
    return "\n".join(["runs that lost their worker      missed after   went on after", *lines, *map(story, slowest)])


def line(name: str, resumed: Sequence[Resumption]) -> str:
    missed, seconds = [each.missed for each in resumed], [each.seconds for each in resumed]
    return f"{len(resumed):5} {name:16}{spread(missed):>23}{spread(seconds):>16}"


def spread(seconds: Sequence[float]) -> str:
    """``3.6 (28.4)``: the median and the most."""
    return f"{statistics.median(seconds):.1f} ({max(seconds):.1f})"


def story(slow: Resumption) -> str:
    others = ", ".join(f"{count} {kind}" for kind, count in Counter(slow.meanwhile).most_common()) or "nothing"
    return f"article {slow.article} went on after {slow.seconds:.1f} s; its {slow.kind} was killed, then {others}"
