"""A run whose provider is unavailable waits without a worker, resumes by itself, and can be tried at once."""

from __future__ import annotations

import re

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
from articles.runs.outages import GIVE_UP_AFTER, MAX_PAUSE, MIN_PAUSE, park_run
from articles.runs.recovery import sweep
from articles.runs.scheduling import next_run
from articles.runs.step_writer import write_changes
from articles.services import cancel_run, delete_article, retry_run
from tests.articles.clients import client_of, post
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
)
from tests.factories import claim, do_step, make_article, step_completed, step_started

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("one_model")]


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
