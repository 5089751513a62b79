"""Fair scheduling: the next run is the oldest one of the user with the fewest runs in progress.

RQ queues are first in, first out, so a hundred articles of one user would block everyone else. A job therefore only says that
there is work; the worker asks here which run to claim.
"""

from __future__ import annotations

import heapq
import math
from collections import Counter, defaultdict, deque
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth.models import User

from articles.models import Run, Status
from articles.runs.workers import capacity

LEFT_FREE = 2
"""Capacity that one user leaves to the others, and the number of runs every user may have in progress."""


@dataclass(frozen=True)
class WaitingRun:
    """A claimable run. ``awaited_model`` is empty if it waits only for a worker."""

    run_id: int
    owner_id: int
    awaited_model: str = ""
    failed_tries: int = 0


def next_run(exclude: Collection[int] = (), *, shared_process: bool = False) -> int | None:
    """Id of the next claimable run that is not in ``exclude``; None if there is none, or if its users have enough in progress.

    With ``shared_process``, runs on their last attempt are skipped: whatever crashed their earlier workers could take the
    other articles of this process with it.
    """
    return next((run_id for run_id in claimable_in_order(shared_process) if run_id not in exclude), None)


def claimable_in_order(shared_process: bool = False) -> Iterator[int]:
    """Ids of the runs that could be claimed now, in the order in which they should be."""
    rows = Run.objects.claimable().order_by("pk")
    if shared_process:
        rows = rows.filter(attempts__lt=settings.MAX_ATTEMPTS - 1)
    found = rows.values_list("pk", "article__owner_id", "awaited_model", "failed_tries")
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
    """The ids of ``waiting`` (oldest first) in fair order. ``in_work`` is the number of runs in progress by user."""
    queues: dict[int, deque[int]] = defaultdict(deque)
    for each in one_per_awaited_model(waiting):
        queues[each.owner_id].append(each.run_id)
    turns = [(in_work.get(owner, 0), queue[0], owner) for owner, queue in queues.items()]
    heapq.heapify(turns)
    while turns:
        busy, run_id, owner = heapq.heappop(turns)
        if busy >= limit:
            return  # no other user has fewer in progress
        yield run_id
        queues[owner].popleft()
        if queues[owner]:
            heapq.heappush(turns, (busy + 1, queues[owner][0], owner))


def one_per_awaited_model(waiting: Iterable[WaitingRun]) -> list[WaitingRun]:
    """All runs that wait only for a worker, and of those that wait for the same model the one with the fewest tries."""
    trying: dict[str, WaitingRun] = {}
    free = []
    for each in waiting:
        if not each.awaited_model:
            free.append(each)
        elif each.awaited_model not in trying or each.failed_tries < trying[each.awaited_model].failed_tries:
            trying[each.awaited_model] = each
    return sorted([*free, *trying.values()], key=lambda each: each.run_id)
