"""Fair scheduling: a user with many articles does not block the others."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.auth.models import User
from django.db import connections
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings
from redis import Redis

from articles.models import Run, Status
from articles.runs import workers
from articles.runs.lease import claim_run, holds_lease
from articles.runs.recovery import OWNER_DEACTIVATED, sweep
from articles.runs.scheduling import WaitingRun, claimable_in_order, fair_order, next_run
from articles.services import start_run
from tests.factories import StaffFactory, UserFactory, make_article, make_completed_article, make_processing_article

ADA, BEN, CY = 1, 2, 3


def test_users_take_turns_oldest_run_first() -> None:
    waiting = [WaitingRun(run_id, ADA) for run_id in range(1, 6)] + [
        WaitingRun(6, BEN),
        WaitingRun(7, BEN),
        WaitingRun(8, CY),
    ]
    assert list(fair_order(waiting, {}, limit=9)) == [1, 6, 8, 2, 7, 3, 4, 5]


def test_the_user_with_the_fewest_active_runs_is_first() -> None:
    waiting = [WaitingRun(1, ADA), WaitingRun(2, BEN), WaitingRun(3, CY)]
    assert list(fair_order(waiting, {ADA: 3, BEN: 1, CY: 2}, limit=9)) == [2, 3, 1]


def test_no_user_has_more_active_runs_than_the_limit() -> None:
    waiting = [WaitingRun(run_id, ADA) for run_id in range(1, 6)] + [WaitingRun(6, BEN)]
    assert list(fair_order(waiting, {ADA: 1, BEN: 3}, limit=3)) == [1, 2]


def test_of_runs_waiting_for_a_model_only_the_one_with_fewest_tries_is_listed() -> None:
    waiting = [WaitingRun(1, ADA, "m", 2), WaitingRun(2, BEN, "m", 1), WaitingRun(3, CY, "n", 5), WaitingRun(4, ADA)]
    assert list(fair_order(waiting, {}, limit=9)) == [2, 3, 4]


@pytest.mark.django_db
class TestClaiming:
    @pytest.fixture(autouse=True)
    def two_runs_per_user(self, settings: Settings) -> None:
        settings.RUNS_PER_USER = 2

    def claim_all(self) -> list[str]:
        """Claim every claimable run; the owner of each."""
        owners = []
        while (run_id := next_run()) is not None:
            assert claim_run(run_id, worker="w", model="m")
            owners.append(Run.objects.get(pk=run_id).article.owner.get_username())
        return owners

    def test_a_user_with_many_articles_does_not_block_another(self) -> None:
        ada, ben = UserFactory.create(username="ada"), UserFactory.create(username="ben")
        for owner in [*[ada] * 10, ben]:
            make_article(owner)
        assert self.claim_all() == ["ada", "ben", "ada"]

    def test_a_run_delayed_by_the_limit_is_enqueued_again_once_there_is_capacity(
        self, redis: Redis, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
    ) -> None:
        owner: User = UserFactory.create()
        runs = [make_article(owner).runs.get() for _ in range(3)]
        Run.objects.update(enqueued_at="2026-01-01T00:00Z")
        assert len(self.claim_all()) == 2
        assert sweep() == 0, "no job is lost: its owner is at the limit"
        Run.objects.filter(pk=runs[0].pk).update(status="cancelled")
        with django_capture_on_commit_callbacks(execute=True):
            assert sweep() == 1
        assert redis.llen("rq:queue:articles") == 1

    def test_a_run_without_a_job_is_left_to_the_process_that_started_it(self) -> None:
        article = make_completed_article(UserFactory.create())
        run = start_run(article=article, by=article.owner, queue=False)
        assert next_run() is None
        assert claim_run(run.pk, worker="w", model="m")


@pytest.mark.django_db
def test_by_default_two_places_are_reserved_for_other_users(monkeypatch: pytest.MonkeyPatch) -> None:
    owner: User = UserFactory.create()
    UserFactory.create()
    for _ in range(12):
        make_article(owner)
    for free, taken in ((10, 8), (3, 2), (0, 2)):
        monkeypatch.setattr("articles.runs.scheduling.capacity", lambda free=free: free)
        Run.objects.update(status="pending", token=None, lease_expires_at=None)
        count = 0
        while (run_id := next_run()) is not None:
            assert claim_run(run_id, worker="w", model="m")
            count += 1
        assert count == taken


@pytest.mark.django_db
def test_the_only_active_user_can_use_all_places() -> None:
    owner: User = UserFactory.create()
    UserFactory.create(is_active=False)
    for _ in range(9):
        make_article(owner)
    assert len(list(claimable_in_order())) == 9


@pytest.mark.django_db(transaction=True)
def test_concurrent_claims_do_not_exceed_the_limit() -> None:
    owner: User = UserFactory.create()
    runs = [make_article(owner).runs.get().pk for _ in range(8)]
    start = threading.Barrier(len(runs))

    def take(run_id: int) -> bool:
        start.wait(10)
        try:
            return claim_run(run_id, worker="w", model="m", owner_limit=2) is not None
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(runs)) as workers:
        assert sum(workers.map(take, runs)) == 2
    assert Run.objects.at_work().count() == 2


@pytest.mark.django_db
def test_without_redis_no_user_is_limited(settings: Settings) -> None:
    owner: User = UserFactory.create()
    UserFactory.create()
    for _ in range(5):
        make_article(owner)
    settings.REDIS_ADDRESS = "redis://127.0.0.1:1"
    workers.redis_client.cache_clear()
    try:
        assert len(list(claimable_in_order())) == 5
    finally:
        workers.redis_client.cache_clear()


@pytest.mark.django_db
class TestInactiveOwners:
    def test_their_runs_are_not_claimed(self) -> None:
        owner: User = UserFactory.create()
        run = make_article(owner).runs.get()
        User.objects.filter(pk=owner.pk).update(is_active=False)
        assert next_run() is None
        assert claim_run(run.pk, worker="w", model="m") is None

    def test_the_sweeper_cancels_their_runs_and_logs_it(self) -> None:
        owner: User = UserFactory.create()
        waiting, (writing, held) = make_article(owner), make_processing_article(owner)
        other = make_article(UserFactory.create())
        User.objects.filter(pk=owner.pk).update(is_active=False)
        assert sweep() == 2
        for article in (waiting, writing):
            article.refresh_from_db()
            assert (article.status, article.message) == (Status.CANCELLED, OWNER_DEACTIVATED)
            assert article.events.latest("seq").payload["new_status"] == Status.CANCELLED
        assert not holds_lease(held)
        other.refresh_from_db()
        assert other.status == Status.PENDING

    def test_deactivating_a_user_in_the_admin_cancels_their_runs_at_once(self) -> None:
        owner: User = UserFactory.create(username="leaver")
        article = make_article(owner)
        admin = Client()
        admin.force_login(StaffFactory.create(is_superuser=True))
        address = reverse("admin:auth_user_change", args=[owner.pk])
        fields = {"username": "leaver", "date_joined_0": "2026-11-30", "date_joined_1": "00:00:00"}
        assert admin.post(address, fields).status_code == 302
        article.refresh_from_db()
        assert article.status == Status.CANCELLED
