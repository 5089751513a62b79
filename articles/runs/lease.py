"""Leases: only the worker that holds a run's lease may write its history.

The token of a claim fences every write, so a worker that was presumed dead cannot write after another one took over.
"""

from __future__ import annotations

import hashlib
import math
import os
import socket
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from functools import cache
from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models.expressions import CombinedExpression
from django.db.models.functions import Now
from django.utils import timezone

from articles.exceptions import ArticleGone, LeaseLost
from articles.models import Article, Run, Status
from articles.runs.clock import database_now
from articles.runs.event_log import ArticleTransaction, article_transaction, locked_articles

LEASES_IF_RUNNING = 4
"""How many leases a process of this machine may let pass while it runs."""


@dataclass(frozen=True)
class Claim:
    """A run that a worker holds, until it is cancelled, deleted, or claimed by another worker.

    ``attempt`` counts from 1; each before it ended with the death of its worker.
    """

    run_id: int
    article_id: int
    token: uuid.UUID
    attempt: int = 1


@cache
def machine_id() -> str:
    """Identifies this machine and its process namespace, such as ``host/3f8a90c1``: two containers may share a host name."""
    known = str(uuid.getnode())
    if sys.platform == "linux":
        known = Path("/proc/sys/kernel/random/boot_id").read_text() + str(Path("/proc/self/ns/pid").readlink())
    return f"{socket.gethostname()}/{hashlib.sha256(known.encode()).hexdigest()[:8]}"


def worker_id() -> str:
    """Identifies this process: ``host/3f8a90c1:4711``."""
    return f"{machine_id()}:{os.getpid()}"


class Worker(Enum):
    """What this machine knows of a worker's process. Of processes on other machines it only knows the lease."""

    RUNNING = "running"
    ENDED = "ended"
    REMOTE = "remote"


def state_of_worker(worker: str) -> Worker:
    place, _, pid = worker.rpartition(":")
    if place != machine_id():
        return Worker.REMOTE
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return Worker.ENDED
    except PermissionError:  # it lives, as another user
        pass
    return Worker.RUNNING


def is_lost(run: Run, *, by_lease: bool = True) -> bool:
    """Whether a run in progress has lost its worker: it ended, or did not renew the lease.

    A process that is known to run has ``LEASES_IF_RUNNING`` times as long: more likely than that it hangs, the machine is
    overloaded or another program holds the lock of SQLite. Without ``by_lease`` only workers that are known to have ended count.
    """
    assert run.lease_expires_at is not None, "a run in work has a lease"
    state = state_of_worker(run.worker)
    if state is Worker.ENDED or not by_lease:
        return state is Worker.ENDED
    patience = settings.LEASE_SECONDS * (LEASES_IF_RUNNING - 1) if state is Worker.RUNNING else 0
    return run.lease_expires_at + timedelta(seconds=patience) < database_now()


def lease_expiry() -> CombinedExpression:
    """Computed by the database, whose clock decides when it has expired."""
    return Now() + timedelta(seconds=settings.LEASE_SECONDS)


def claim_run(run_id: int, *, worker: str, model: str, owner_limit: float = math.inf) -> Claim | None:
    """Claim a pending run, unless its owner was deactivated or has ``owner_limit`` runs in progress already.

    None in these cases, and if the run is no longer pending: claimed by another worker, cancelled, or deleted.
    """
    article_id = Run.objects.filter(pk=run_id, status=Status.PENDING).values_list("article_id", flat=True).first()
    if article_id is None:
        return None
    try:
        with article_transaction(article_id) as tx:
            run = Run.objects.get(pk=run_id)
            if run.status != Status.PENDING or not may_claim(tx.article.owner_id, owner_limit):
                return None
            token, attempt = uuid.uuid4(), run.attempts + 1
            claimed = tx.change_status(
                run,
                Status.PROCESSING,
                "Work goes on where it stopped" if run.started_at else "Work has begun",
                token=token,
                worker=worker,
                model=model,
                attempts=attempt,
                lease_expires_at=lease_expiry(),
                started_at=run.started_at or timezone.now(),
            )
    except ArticleGone:
        return None
    return Claim(run_id, article_id, token, attempt) if claimed else None


def may_claim(owner_id: int, limit: float) -> bool:
    """Whether the owner is active and has fewer than ``limit`` runs in progress.

    Locks the owner's row, so that claims of the same owner are counted one after another.
    """
    owner = User.objects.select_for_update(no_key=True).get(pk=owner_id)
    if not owner.is_active or limit == math.inf:
        return owner.is_active
    return Run.objects.at_work().filter(article__owner=owner_id).count() < limit


def renew_lease(claim: Claim) -> bool:
    """False if the claim no longer holds the run."""
    held = Run.objects.filter(pk=claim.run_id, token=claim.token, status=Status.PROCESSING)
    return bool(held.update(lease_expires_at=lease_expiry()))


def holds_lease(claim: Claim) -> bool:
    """Like ``renew_lease``, but read-only: cheap enough to call several times a second."""
    return Run.objects.filter(pk=claim.run_id, token=claim.token, status=Status.PROCESSING).exists()


@contextmanager
def run_transaction(claim: Claim) -> Iterator[tuple[ArticleTransaction, Run]]:
    """Like ``article_transaction``, for the worker that holds ``claim``. Raises LeaseLost if it no longer does."""
    with transaction.atomic():
        try:
            article = locked_articles().get(pk=claim.article_id)
            run = Run.objects.get(pk=claim.run_id, token=claim.token, status=Status.PROCESSING)
        except (Article.DoesNotExist, Run.DoesNotExist) as error:
            raise LeaseLost(claim.run_id) from error
        tx = ArticleTransaction(article)
        yield tx, run
        tx.flush()
