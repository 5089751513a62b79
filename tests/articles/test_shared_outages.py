"""Runs that wait for the same provider: one of them tries, and the others wait for its result."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings
from redis import Redis

from agents.exceptions import ProviderUnavailable
from articles.models import Run, Status
from articles.runs.outages import models_needed, park_run, wait_for_provider
from articles.runs.recovery import sweep
from articles.runs.scheduling import next_run
from tests.articles.parked_runs import (
    MINUTE,
    MODEL,
    UNAVAILABLE,
    ago,
    answer,
    end_pause,
    parked,
    pause_of,
    run_of,
    waiting,
)
from tests.factories import claim, make_article

QUERIES_OF_ONE = 10
"""What parking one run may take: with a few for all, the number grows no faster than that of the runs."""

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("one_model")]


class TestOtherRuns:
    def test_one_run_tries_and_the_others_wait_for_its_result(self, owner: User) -> None:
        articles = [parked(owner) for _ in range(3)]
        end_pause()
        turn = next_run()
        claim(next(article for article in articles if run_of(article).pk == turn))
        assert next_run() is None

    def test_if_it_fails_they_wait_until_the_same_time(self, owner: User) -> None:
        first, second = parked(owner), parked(owner)
        end_pause()
        Run.objects.update(parked_since=ago(10))
        park_run(claim(first), UNAVAILABLE)
        assert run_of(first).not_before == run_of(second).not_before
        assert pause_of(second) > 8 * MINUTE
        second.refresh_from_db()
        assert second.message == f"Waiting for the AI provider, next try {run_of(second).not_before:%H:%M} UTC"

    def test_runs_that_fail_together_wait_until_the_same_time(self, owner: User) -> None:
        first, second = parked(owner), parked(owner)
        assert run_of(first).not_before == run_of(second).not_before

    def test_if_it_succeeds_all_are_requeued(
        self, owner: User, redis: Redis, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
    ) -> None:
        first, second, third = parked(owner), parked(owner), waiting(owner)
        end_pause()
        with django_capture_on_commit_callbacks(execute=True):
            answer(claim(first))
        assert next_run() == run_of(second).pk
        with django_capture_on_commit_callbacks(execute=True):
            assert sweep() == 2
            assert sweep() == 0, "their jobs have just been enqueued"
        for article in (second, third):
            article.refresh_from_db()
            assert article.message == "Waiting for a worker"
            assert not run_of(article).is_parked
        assert redis.llen("rq:queue:articles") == 2

    def test_a_new_run_waits_with_the_parked_ones(self, owner: User) -> None:
        first, _ = parked(owner), parked(owner)
        article = waiting(owner)
        assert run_of(article).not_before == run_of(first).not_before
        assert article.message.startswith("Waiting for the AI provider, next try ")
        assert run_of(article).reason == str(UNAVAILABLE)

    def test_parking_a_run_twice_records_one_event(self, owner: User) -> None:
        parked(owner), parked(owner)
        article = waiting(owner)
        events = article.events.count()
        assert wait_for_provider(run_of(article).pk, {MODEL})
        assert article.events.count() == events

    def test_a_new_run_waits_while_another_tries(self, owner: User) -> None:
        first, _ = parked(owner), parked(owner)
        end_pause()
        claim(first)
        article = waiting(owner)
        assert next_run() is None
        assert run_of(article).is_parked

    def test_a_new_run_tries_if_the_pause_is_over_and_no_other_tries(self, owner: User) -> None:
        parked(owner), parked(owner)
        end_pause()
        article = make_article(owner)
        assert not wait_for_provider(run_of(article).pk, {MODEL})
        claim(article)
        assert run_of(article).awaited_model == MODEL, "it tries for the others"
        assert next_run() is None

    def test_a_single_failed_run_does_not_delay_others(self, owner: User) -> None:
        parked(owner)
        assert not wait_for_provider(run_of(make_article(owner)).pk, {MODEL})

    def test_an_outage_does_not_delay_runs_on_another_model(self, owner: User) -> None:
        parked(owner), parked(owner)
        assert not wait_for_provider(run_of(make_article(owner)).pk, {"another"})

    def test_a_new_run_waits_for_every_model_its_article_needs(self, owner: User, settings: Settings) -> None:
        settings.LLM_MODELS |= {"research": "reader", "seo": "describer", "image": "chooser"}
        for model in ("reader", "describer", "chooser"):
            for _ in range(2):
                parked(owner, ProviderUnavailable("Unavailable.", model=model))
        plain, described = make_article(owner, seo_optimize=False), make_article(owner, seo_optimize=True)
        assert models_needed(run_of(plain).pk) == {MODEL, "reader"}
        assert models_needed(run_of(described).pk) == {MODEL, "reader", "describer"}
        assert wait_for_provider(run_of(plain).pk, models_needed(run_of(plain).pk))
        assert run_of(plain).awaited_model == "reader"

    def test_an_outage_of_the_image_planning_model_delays_no_run(self, owner: User, settings: Settings) -> None:
        settings.LLM_MODELS |= {"image": "chooser"}
        for _ in range(2):
            parked(owner, ProviderUnavailable("Unavailable.", model="chooser"))
        run = run_of(make_article(owner))
        assert not wait_for_provider(run.pk, models_needed(run.pk))

    def test_the_run_with_the_fewest_tries_is_next(self, owner: User) -> None:
        parked(owner), parked(owner)
        article = waiting(owner)
        end_pause()
        assert next_run() == run_of(article).pk

    def test_a_resumed_run_is_not_parked_again_with_the_others(self, owner: User) -> None:
        first, second = parked(owner), parked(owner)
        end_pause()
        Run.objects.filter(pk=run_of(first).pk).update(awaited_model="", not_before=None)
        parked(owner)
        assert not wait_for_provider(run_of(first).pk, {MODEL})
        assert run_of(second).is_parked


def test_parking_a_hundred_runs_takes_a_few_queries_for_each(owner: User, settings: Settings) -> None:
    articles = [parked(owner), parked(owner), *(waiting(owner) for _ in range(98))]
    end_pause()
    turn = next_run()
    article = next(article for article in articles if run_of(article).pk == turn)
    held = claim(article)
    with CaptureQueriesContext(connection) as queries:
        park_run(held, UNAVAILABLE)
    assert len(queries) <= 100 * QUERIES_OF_ONE
    assert Run.objects.filter(not_before__gt=timezone.now()).count() == 100
    assert not Run.objects.exclude(status=Status.PENDING).exists()
