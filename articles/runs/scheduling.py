"""Whose turn it is when a worker is free: the run of the user with the fewest in work, then the oldest.

A queue is first come, first served: a hundred articles of one user would keep the others waiting. So a job only says that
there is work, and its worker asks here which.
"""

from __future__ import annotations

import heapq
import math
from collections import Counter, defaultdict, deque
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth.models import User
from django.utils import timezone

from articles.models import Run, Status
from articles.runs.workers import capacity

LEFT_FREE = 2
"""Places one user leaves to the others, and the runs one user may have in work at least."""


@dataclass(frozen=True)
class WaitingRun:
    """A run a worker may take up; ``awaits`` is the model it waits for, which it has asked in vain ``parkings`` times."""

    run_id: int
    owner_id: int
    awaits: str = ""
    parkings: int = 0


def next_run(exclude: Collection[int] = (), *, shared_process: bool = False) -> int | None:
    """The run to take up next, none of ``exclude``; None where there is none, or only of users who have enough in work.

    ``beside`` others no run is taken up for the last time: what has killed its workers may kill theirs.
    """
    return next((run_id for run_id in claimable_in_order(shared_process) if run_id not in exclude), None)


def claimable_in_order(shared_process: bool = False) -> Iterator[int]:
    """The runs that could be taken up now, in turn."""
    rows = Run.objects.claimable(timezone.now()).order_by("pk")
    if shared_process:
        rows = rows.filter(attempts__lt=settings.MAX_ATTEMPTS - 1)
    found = rows.values_list("pk", "article__owner_id", "awaits", "parkings")
    if not found:
        return iter(())
    at_work = Run.objects.filter(status=Status.PROCESSING).values_list("article__owner_id", flat=True)
    return fair_order([WaitingRun(*row) for row in found], Counter(at_work), runs_per_user())


def runs_per_user() -> float:
    """How many runs of one user may be in progress at once.

    No limit for the only user, and while Redis is unavailable: nobody knows the capacity then.
    """
    if settings.RUNS_PER_USER:
        return float(settings.RUNS_PER_USER)
    if User.objects.filter(is_active=True)[:2].count() < 2:
        return math.inf
    places = capacity()
    return math.inf if places is None else max(LEFT_FREE, places - LEFT_FREE)


def fair_order(waiting: Iterable[WaitingRun], in_work: Mapping[int, int], limit: float) -> Iterator[int]:
    """The ids of ``waiting`` (oldest first) in turn; ``in_work`` is how many runs of each user are. One run tries a model."""
    queues: dict[int, deque[int]] = defaultdict(deque)
    for each in one_per_awaited_model(waiting):
        queues[each.owner_id].append(each.run_id)
    turns = [(in_work.get(owner, 0), queue[0], owner) for owner, queue in queues.items()]
    heapq.heapify(turns)
    while turns:
        busy, run_id, owner = heapq.heappop(turns)
        if busy >= limit:
            return  # nobody has fewer in work
        yield run_id
        queues[owner].popleft()
        if queues[owner]:
            heapq.heappush(turns, (busy + 1, queues[owner][0], owner))


def one_per_awaited_model(waiting: Iterable[WaitingRun]) -> list[WaitingRun]:
    """All that wait for a worker only, and of those that wait for a model the one that asked least."""
    trying: dict[str, WaitingRun] = {}
    free = []
    for each in waiting:
        if not each.awaits:
            free.append(each)
        elif each.awaits not in trying or each.parkings < trying[each.awaits].parkings:
            trying[each.awaits] = each
    return sorted([*free, *trying.values()], key=lambda each: each.run_id)
