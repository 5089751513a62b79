"""Runs whose provider is away: they wait without a worker, one of them tries, and all go on by themselves."""

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


def parked(owner: User, away: ProviderUnavailable = UNAVAILABLE) -> Article:
    """An article that asked its model in vain."""
    article = make_article(owner)
    park_run(claim(article), away)
    article.refresh_from_db()
    return article


def waiting(owner: User) -> Article:
    """An article that waits with others, unasked."""
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


def time_has_come() -> None:
    Run.objects.exclude(awaited_model="").update(not_before=ago(0.1))


def answer(held: Claim) -> None:
    """The model answers the run that asks again."""
    do_step(held, "research:plan")


class TestParking:
    def test_it_waits_and_says_for_what_and_until_when(self, owner: User) -> None:
        article = parked(owner)
        run = run_of(article)
        assert (article.status, run.token, run.attempts) == (Status.PENDING, None, 0)
        assert run.not_before
        assert article.message == f"Waiting for the AI provider, next try {run.not_before:%H:%M} UTC"
        assert run.reason == str(UNAVAILABLE)
        last = article.events.last()
        assert last is not None
        assert last.payload["message"] == article.message

    def test_no_worker_takes_it_up_before_its_time(self, owner: User) -> None:
        article = parked(owner)
        assert next_run() is None
        assert sweep() == 0
        time_has_come()
        assert next_run() == run_of(article).pk

    def test_the_sweeper_calls_a_worker_when_its_time_has_come(
        self, owner: User, redis: Redis, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
    ) -> None:
        parked(owner)
        time_has_come()
        Run.objects.update(enqueued_at=ago(2))
        with django_capture_on_commit_callbacks(execute=True):
            assert sweep() == 1
        assert redis.llen("rq:queue:articles") == 1

    @pytest.mark.parametrize(("minutes", "pause"), [(0, 1), (1, 1), (2, 2), (4, 4), (15, 15), (300, 30)])
    def test_it_waits_as_long_again_as_it_has_waited(self, owner: User, minutes: float, pause: float) -> None:
        article = make_article(owner)
        held = claim(article)
        Run.objects.update(parked_since=ago(minutes), awaited_model=MODEL)
        park_run(held, UNAVAILABLE)
        assert 0.85 * pause * MINUTE <= pause_of(article) <= 1.15 * pause * MINUTE
        assert MIN_PAUSE * 0.85 <= pause_of(article) <= MAX_PAUSE * 1.15

    def test_it_waits_as_long_as_the_provider_asks_for(self, owner: User) -> None:
        article = parked(owner, ProviderUnavailable("Too often (429).", model=MODEL, retry_after=3600))
        assert pause_of(article) > 59 * MINUTE

    @pytest.mark.parametrize("hours", [25, 1e12])
    def test_nobody_is_given_up_for_how_long_the_provider_asks_to_wait(self, owner: User, hours: float) -> None:
        honest = parked(owner)
        Run.objects.update(parked_since=ago(5 * 60))
        greedy = parked(owner, ProviderUnavailable("Too often (429).", model=MODEL, retry_after=hours * 3600))
        honest.refresh_from_db()
        assert [honest.status, greedy.status] == [Status.PENDING] * 2
        for article, waited in (honest, 5 * 60 * MINUTE), (greedy, 0 * MINUTE):
            left = GIVE_UP_AFTER - waited
            assert left - MINUTE < pause_of(article) <= left, "it is tried once more before it is given up"

    def test_after_a_day_it_fails_with_the_reason(self, owner: User) -> None:
        article = make_article(owner)
        held = claim(article)
        Run.objects.update(parked_since=timezone.now() - GIVE_UP_AFTER, awaited_model=MODEL)
        park_run(held, UNAVAILABLE)
        article.refresh_from_db()
        assert article.status == Status.FAILED
        assert article.message == f"{UNAVAILABLE} The studio has tried for 24 hours."

    def test_an_answer_ends_the_waiting_and_its_count(self, owner: User) -> None:
        article = parked(owner)
        time_has_come()
        answer(claim(article))
        run = run_of(article)
        assert (run.awaited_model, run.not_before, run.parked_since, run.failed_tries, run.reason) == (
            "",
            None,
            None,
            0,
            "",
        )

    def test_an_answer_of_another_agents_model_does_not_end_it(self, owner: User, settings: Settings) -> None:
        settings.LLM_MODELS = {**settings.LLM_MODELS, "research": "reader"}
        article = parked(owner)
        time_has_come()
        held = claim(article)
        do_step(held, "research:plan")
        assert run_of(article).awaited_model == MODEL
        do_step(held, "outline:make")
        assert not run_of(article).awaited_model

    def test_where_the_studio_uses_another_model_by_now_any_answer_ends_it(
        self, owner: User, settings: Settings
    ) -> None:
        article = parked(owner)
        settings.LLM_MODELS = dict.fromkeys(settings.LLM_MODELS, "another")
        time_has_come()
        answer(claim(article))
        assert not run_of(article).awaited_model

    def test_a_picture_that_was_drawn_does_not_end_it(self, owner: User) -> None:
        article = parked(owner)
        time_has_come()
        held = claim(article)
        drawn = Usage(calls=1, pictures=1)
        write_changes(held, [step_started("image:draw"), step_completed("image:draw", SectionText(markdown=""), drawn)])
        assert run_of(article).awaited_model == MODEL

    def test_a_step_that_asks_no_model_does_not_end_it(self, owner: User) -> None:
        article = parked(owner)
        time_has_come()
        held = claim(article)
        write_changes(
            held, [step_started("research:read"), step_completed("research:read", SectionText(markdown=""), Usage())]
        )
        assert run_of(article).awaited_model == MODEL


class TestTheOthers:
    def test_one_tries_and_the_others_wait_for_how_it_fares(self, owner: User) -> None:
        articles = [parked(owner) for _ in range(3)]
        time_has_come()
        turn = next_run()
        claim(next(article for article in articles if run_of(article).pk == turn))
        assert next_run() is None

    def test_when_it_fails_they_are_put_off_with_it(self, owner: User) -> None:
        first, second = parked(owner), parked(owner)
        time_has_come()
        Run.objects.update(parked_since=ago(10))
        park_run(claim(first), UNAVAILABLE)
        assert run_of(first).not_before == run_of(second).not_before
        assert pause_of(second) > 8 * MINUTE
        second.refresh_from_db()
        assert second.message == f"Waiting for the AI provider, next try {run_of(second).not_before:%H:%M} UTC"

    def test_those_that_find_it_away_together_try_together(self, owner: User) -> None:
        first, second = parked(owner), parked(owner)
        assert run_of(first).not_before == run_of(second).not_before

    def test_when_it_is_answered_all_go_on(
        self, owner: User, redis: Redis, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
    ) -> None:
        first, second, third = parked(owner), parked(owner), waiting(owner)
        time_has_come()
        with django_capture_on_commit_callbacks(execute=True):
            answer(claim(first))
        assert next_run() == run_of(second).pk
        with django_capture_on_commit_callbacks(execute=True):
            assert sweep() == 2
            assert sweep() == 0, "they have just been called"
        for article in (second, third):
            article.refresh_from_db()
            assert article.message == "Waiting for a worker"
            assert not run_of(article).is_parked
        assert redis.llen("rq:queue:articles") == 2

    def test_a_run_that_has_not_asked_waits_with_those_that_did(self, owner: User) -> None:
        first, _ = parked(owner), parked(owner)
        article = waiting(owner)
        assert run_of(article).not_before == run_of(first).not_before
        assert article.message.startswith("Waiting for the AI provider, next try ")
        assert run_of(article).reason == str(UNAVAILABLE)

    def test_two_workers_that_look_at_it_at_once_park_it_once(self, owner: User) -> None:
        parked(owner), parked(owner)
        article = waiting(owner)
        events = article.events.count()
        assert wait_for_provider(run_of(article).pk, {MODEL})
        assert article.events.count() == events

    def test_a_new_run_does_not_ask_while_another_tries(self, owner: User) -> None:
        first, _ = parked(owner), parked(owner)
        time_has_come()
        claim(first)
        article = waiting(owner)
        assert next_run() is None
        assert run_of(article).is_parked

    def test_a_new_run_tries_where_the_time_has_come_and_nobody_does(self, owner: User) -> None:
        parked(owner), parked(owner)
        time_has_come()
        article = make_article(owner)
        assert not wait_for_provider(run_of(article).pk, {MODEL})
        claim(article)
        assert run_of(article).awaited_model == MODEL, "it tries for the others"
        assert next_run() is None

    def test_one_that_failed_alone_keeps_nobody_waiting(self, owner: User) -> None:
        parked(owner)
        assert not wait_for_provider(run_of(make_article(owner)).pk, {MODEL})

    def test_another_model_keeps_nobody_waiting(self, owner: User) -> None:
        parked(owner), parked(owner)
        assert not wait_for_provider(run_of(make_article(owner)).pk, {"another"})

    def test_a_new_run_waits_for_any_model_its_article_cannot_do_without(self, owner: User, settings: Settings) -> None:
        settings.LLM_MODELS |= {"research": "reader", "seo": "describer", "image": "chooser"}
        for model in ("reader", "describer", "chooser"):
            for _ in range(2):
                parked(owner, ProviderUnavailable("Away.", model=model))
        plain, described = make_article(owner, seo_optimize=False), make_article(owner, seo_optimize=True)
        assert models_needed(run_of(plain).pk) == {MODEL, "reader"}
        assert models_needed(run_of(described).pk) == {MODEL, "reader", "describer"}
        assert wait_for_provider(run_of(plain).pk, models_needed(run_of(plain).pk))
        assert run_of(plain).awaited_model == "reader"

    def test_an_outage_of_the_pictures_model_keeps_nobody_waiting(self, owner: User, settings: Settings) -> None:
        settings.LLM_MODELS |= {"image": "chooser"}
        for _ in range(2):
            parked(owner, ProviderUnavailable("Away.", model="chooser"))
        run = run_of(make_article(owner))
        assert not wait_for_provider(run.pk, models_needed(run.pk))

    def test_who_asked_least_tries_first(self, owner: User) -> None:
        parked(owner), parked(owner)
        article = waiting(owner)
        time_has_come()
        assert next_run() == run_of(article).pk

    def test_a_run_that_was_let_go_does_not_join_those_that_wait_again(self, owner: User) -> None:
        first, second = parked(owner), parked(owner)
        time_has_come()
        Run.objects.filter(pk=run_of(first).pk).update(awaited_model="", not_before=None)
        parked(owner)
        assert not wait_for_provider(run_of(first).pk, {MODEL})
        assert run_of(second).is_parked


class TestWhatAPersonCanDo:
    def test_try_now_asks_at_once(self, owner: User) -> None:
        article = parked(owner)
        parked(owner)
        assert post(client_of(owner), f"/api/articles/{article.pk}/retry").json()["status"] == "pending"
        assert next_run() == run_of(article).pk
        assert run_of(article).awaited_model == MODEL, "it still tries for the others"

    def test_cancelling_ends_the_waiting_and_a_retry_begins_anew(self, owner: User) -> None:
        article = parked(owner)
        cancel_run(article=article, by=owner)
        assert article.status == Status.CANCELLED
        time_has_come()
        assert next_run() is None
        run = retry_run(article=article, by=owner)
        assert (run.awaited_model, run.not_before, run.failed_tries) == ("", None, 0)

    def test_deleting_ends_it(self, owner: User) -> None:
        article, other = parked(owner), parked(owner)
        delete_article(article=article, by=owner)
        time_has_come()
        park_run(claim(other), UNAVAILABLE)
        assert Article.objects.get() == other

    def test_the_page_says_so_and_offers_to_try_now(self, owner: User, client: Client) -> None:
        article = parked(owner)
        client.force_login(owner)
        html = client.get(f"/articles/{article.pk}/").content.decode()
        note = re.search(r'id="parked">.*?</div>', html, re.DOTALL)
        assert note
        assert "Waiting for the AI provider, next try" in note[0]
        assert "The model&#x27;s server failed (503)." in note[0]
        assert re.search(r'form="retry-form"[^>]*>.*?Try now', html)
        assert 'id="cancel"' in html

    def test_a_run_that_waits_for_a_worker_cannot_be_tried_again(self, owner: User) -> None:
        article = make_article(owner)
        assert post(client_of(owner), f"/api/articles/{article.pk}/retry").status_code == 409


def test_hundred_runs_are_put_off_and_let_go_in_little_time(owner: User, settings: Settings) -> None:
    articles = [parked(owner), parked(owner), *(waiting(owner) for _ in range(98))]
    time_has_come()
    turn = next_run()
    article = next(article for article in articles if run_of(article).pk == turn)
    began = timezone.now()
    park_run(claim(article), UNAVAILABLE)
    assert timezone.now() - began < timedelta(seconds=5)
    assert Run.objects.filter(not_before__gt=timezone.now()).count() == 100
    assert not Run.objects.exclude(status=Status.PENDING).exists()
