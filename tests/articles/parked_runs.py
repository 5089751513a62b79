"""Runs that wait because the model of their article does not answer."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.utils import timezone

from agents.exceptions import ProviderUnavailable
from articles.models import Article, Run
from articles.runs.lease import Claim
from articles.runs.outages import park_run, wait_for_provider
from tests.factories import claim, do_step, make_article

MODEL = "test-model"
UNAVAILABLE = ProviderUnavailable("The model's server failed (503). Try again later. (tried 6 times)", model=MODEL)
MINUTE = timedelta(minutes=1)


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
