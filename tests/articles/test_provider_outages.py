"""Runs whose provider is unavailable: they wait without a worker, one of them tries, and all resume by themselves."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings
from redis import Redis

from agents.contract import SectionText
from agents.costs.usage import Usage
from agents.exceptions import ProviderUnavailable
from articles.models import Article, Run, Status
from articles.runs.lease import Claim
from articles.runs.outages import GIVE_UP_AFTER, MAX_PAUSE, MIN_PAUSE, models_needed, park_run, wait_for_provider
from articles.runs.recovery import sweep
from articles.runs.scheduling import next_run
from articles.runs.step_writer import write_changes
from articles.services import cancel_run, delete_article, retry_run
from tests.articles.clients import client_of, post
from tests.factories import claim, do_step, make_article, step_completed, step_started

pytestmark = pytest.mark.django_db

MODEL = "test-model"
UNAVAILABLE = ProviderUnavailable("The model's server failed (503). Try again later. (tried 6 times)", model=MODEL)
MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def one_model(settings: Settings) -> None:
    settings.HAS_MODEL, settings.LLM_MODELS = True, dict.fromkeys(settings.LLM_MODELS, MODEL)


def parked(owner: User, error: ProviderUnavailable = UNAVAILABLE) -> Article:
    """An article whose model did not answer."""
    article = make_article(owner)
    park_run(claim(article), error)
    article.refresh_from_db()
    return article


def waiting(owner: User) -> Article:
    """An article that waits with others before it has called its model."""
    article = make_article(owner)
    assert wait_for_provider(run_of(article).pk, {MODEL})
    article.refresh_from_db()
    return article


def run_of(article: Article) -> Run:
    return article.runs.get()


def pause_of(article: Article) -> timedelta:
    until = run_of(article).not_before
    assert until is not None
    return until - timezone.now()


def ago(minutes: float) -> datetime:
    return timezone.now() - minutes * MINUTE


def end_pause() -> None:
    Run.objects.exclude(awaited_model="").update(not_before=ago(0.1))


def answer(held: Claim) -> None:
    """The model answers a call of the run."""
    do_step(held, "research:plan")


class TestParking:
    def test_the_message_names_the_model_and_the_next_try(self, owner: User) -> None:
        article = parked(owner)
        run = run_of(article)
        assert (article.status, run.token, run.attempts) == (Status.PENDING, None, 0)
        assert run.not_before
        assert article.message == f"Waiting for the AI provider, next try {run.not_before:%H:%M} UTC"
        assert run.reason == str(UNAVAILABLE)
        last = article.events.last()
        assert last is not None
        assert last.payload["message"] == article.message

    def test_it_is_not_claimable_before_its_next_try(self, owner: User) -> None:
        article = parked(owner)
        assert next_run() is None
        assert sweep() == 0
        end_pause()
        assert next_run() == run_of(article).pk

    def test_the_sweeper_enqueues_a_job_for_its_next_try(
        self, owner: User, redis: Redis, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
    ) -> None:
        parked(owner)
        end_pause()
        Run.objects.update(enqueued_at=ago(2))
        with django_capture_on_commit_callbacks(execute=True):
            assert sweep() == 1
        assert redis.llen("rq:queue:articles") == 1

    @pytest.mark.parametrize(("minutes", "pause"), [(0, 1), (1, 1), (2, 2), (4, 4), (15, 15), (300, 30)])
    def test_its_pause_equals_the_time_it_has_waited_within_limits(
        self, owner: User, minutes: float, pause: float
    ) -> None:
        article = make_article(owner)
        held = claim(article)
        Run.objects.update(parked_since=ago(minutes), awaited_model=MODEL)
        park_run(held, UNAVAILABLE)
        assert 0.85 * pause * MINUTE <= pause_of(article) <= 1.15 * pause * MINUTE
        assert MIN_PAUSE * 0.85 <= pause_of(article) <= MAX_PAUSE * 1.15

    def test_its_pause_is_the_retry_after_of_the_provider(self, owner: User) -> None:
        article = parked(owner, ProviderUnavailable("Too often (429).", model=MODEL, retry_after=3600))
        assert pause_of(article) > 59 * MINUTE

    @pytest.mark.parametrize("hours", [25, 1e12])
    def test_a_long_retry_after_still_allows_a_last_try(self, owner: User, hours: float) -> None:
        honest = parked(owner)
        Run.objects.update(parked_since=ago(5 * 60))
        greedy = parked(owner, ProviderUnavailable("Too often (429).", model=MODEL, retry_after=hours * 3600))
        honest.refresh_from_db()
        assert [honest.status, greedy.status] == [Status.PENDING] * 2
        for article, waited in (honest, 5 * 60 * MINUTE), (greedy, 0 * MINUTE):
            left = GIVE_UP_AFTER - waited
            assert left - MINUTE < pause_of(article) <= left, "it is tried once more before it fails"

    def test_it_fails_with_the_reason_after_a_day(self, owner: User) -> None:
        article = make_article(owner)
        held = claim(article)
        Run.objects.update(parked_since=timezone.now() - GIVE_UP_AFTER, awaited_model=MODEL)
        park_run(held, UNAVAILABLE)
        article.refresh_from_db()
        assert article.status == Status.FAILED
        assert article.message == f"{UNAVAILABLE} The studio has tried for 24 hours."

    def test_an_answer_of_its_model_resets_it(self, owner: User) -> None:
        article = parked(owner)
        end_pause()
        answer(claim(article))
        run = run_of(article)
        assert (run.awaited_model, run.not_before, run.parked_since, run.failed_tries, run.reason) == (
            "",
            None,
            None,
            0,
            "",
        )

    def test_an_answer_of_another_agents_model_does_not_reset_it(self, owner: User, settings: Settings) -> None:
        settings.LLM_MODELS = {**settings.LLM_MODELS, "research": "reader"}
        article = parked(owner)
        end_pause()
        held = claim(article)
        do_step(held, "research:plan")
        assert run_of(article).awaited_model == MODEL
        do_step(held, "outline:plan")
        assert not run_of(article).awaited_model

    def test_any_answer_resets_it_if_its_model_is_no_longer_configured(self, owner: User, settings: Settings) -> None:
        article = parked(owner)
        settings.LLM_MODELS = dict.fromkeys(settings.LLM_MODELS, "another")
        end_pause()
        answer(claim(article))
        assert not run_of(article).awaited_model

    def test_a_generated_image_does_not_reset_it(self, owner: User) -> None:
        article = parked(owner)
        end_pause()
        held = claim(article)
        drawn = Usage(calls=1, pictures=1)
        write_changes(held, [step_started("image:draw"), step_completed("image:draw", SectionText(markdown=""), drawn)])
        assert run_of(article).awaited_model == MODEL

    def test_a_step_without_model_calls_does_not_reset_it(self, owner: User) -> None:
        article = parked(owner)
        end_pause()
        held = claim(article)
        write_changes(
            held, [step_started("research:read"), step_completed("research:read", SectionText(markdown=""), Usage())]
        )
        assert run_of(article).awaited_model == MODEL


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


class TestActions:
    def test_try_now_makes_it_claimable_at_once(self, owner: User) -> None:
        article = parked(owner)
        parked(owner)
        assert post(client_of(owner), f"/api/articles/{article.pk}/retry").json()["status"] == "pending"
        assert next_run() == run_of(article).pk
        assert run_of(article).awaited_model == MODEL, "it still tries for the others"

    def test_cancelling_ends_the_wait_and_a_retry_resets_it(self, owner: User) -> None:
        article = parked(owner)
        cancel_run(article=article, by=owner)
        assert article.status == Status.CANCELLED
        end_pause()
        assert next_run() is None
        run = retry_run(article=article, by=owner)
        assert (run.awaited_model, run.not_before, run.failed_tries) == ("", None, 0)

    def test_a_deleted_article_does_not_break_the_parking_of_others(self, owner: User) -> None:
        article, other = parked(owner), parked(owner)
        delete_article(article=article, by=owner)
        end_pause()
        park_run(claim(other), UNAVAILABLE)
        assert Article.objects.get() == other

    def test_the_page_shows_the_reason_and_offers_to_try_now(self, owner: User, client: Client) -> None:
        article = parked(owner)
        client.force_login(owner)
        html = client.get(f"/articles/{article.pk}/").content.decode()
        note = re.search(r'id="parked">.*?</div>', html, re.DOTALL)
        assert note
        assert "Waiting for the AI provider, next try" in note[0]
        assert "The model&#x27;s server failed (503)." in note[0]
        assert re.search(r'form="retry-form"[^>]*>.*?Try now', html)
        assert 'id="cancel"' in html

    def test_a_run_that_waits_for_a_worker_cannot_be_retried(self, owner: User) -> None:
        article = make_article(owner)
        assert post(client_of(owner), f"/api/articles/{article.pk}/retry").status_code == 409


def test_parking_a_hundred_runs_is_fast(owner: User, settings: Settings) -> None:
    articles = [parked(owner), parked(owner), *(waiting(owner) for _ in range(98))]
    end_pause()
    turn = next_run()
    article = next(article for article in articles if run_of(article).pk == turn)
    began = timezone.now()
    park_run(claim(article), UNAVAILABLE)
    assert timezone.now() - began < timedelta(seconds=5)
    assert Run.objects.filter(not_before__gt=timezone.now()).count() == 100
    assert not Run.objects.exclude(status=Status.PENDING).exists()
