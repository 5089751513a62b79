"""Claiming, renewing and losing the lease of a run."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from agents.exceptions import FailureCode
from articles.exceptions import LeaseLost
from articles.models import Article, Run, Status
from articles.runs.journal import complete_run, fail_run, read_brief
from articles.runs.lease import claim_run, holds_lease, renew_lease
from articles.runs.step_writer import write_changes
from articles.services import cancel_run
from tests.factories import (
    UserFactory,
    claim,
    make_article,
    make_manuscript,
    step_started,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner() -> User:
    return UserFactory.create()


def test_a_run_is_claimed_once(owner: User) -> None:
    article = make_article(owner)
    held = claim(article)
    assert claim_run(held.run_id, worker="other", model="m") is None
    article.refresh_from_db()
    assert article.status == Status.PROCESSING


def test_a_cancelled_run_is_not_claimed(owner: User) -> None:
    article = make_article(owner)
    run = article.latest_run()
    assert run
    cancel_run(article=article, by=owner)
    assert claim_run(run.pk, worker="w", model="m") is None


def test_a_lost_lease_cannot_write(owner: User) -> None:
    article = make_article(owner)
    held = claim(article)
    cancel_run(article=article, by=owner)
    events = article.events.count()
    with pytest.raises(LeaseLost):
        write_changes(held, [step_started("write:1")])
    with pytest.raises(LeaseLost):
        complete_run(held, make_manuscript(), notice="")
    with pytest.raises(LeaseLost):
        fail_run(held, "Too late", FailureCode.MODEL_UNAVAILABLE)
    assert not renew_lease(held)
    assert not holds_lease(held)
    assert article.events.count() == events


def test_the_lease_of_a_deleted_article_is_lost(owner: User) -> None:
    article = make_article(owner)
    held = claim(article)
    Article.objects.filter(pk=article.pk).delete()
    with pytest.raises(LeaseLost):
        write_changes(held, [step_started("write:1")])
    with pytest.raises(LeaseLost):
        read_brief(held)


def test_renewing_extends_the_lease(owner: User) -> None:
    held = claim(make_article(owner))
    before = Run.objects.get(pk=held.run_id).lease_expires_at
    assert renew_lease(held)
    after = Run.objects.get(pk=held.run_id).lease_expires_at
    assert before is not None
    assert after is not None
    assert after > before


def test_a_lease_ends_in_the_future(owner: User) -> None:
    held = claim(make_article(owner))
    ends = Run.objects.get(pk=held.run_id).lease_expires_at
    assert ends is not None
    assert ends > timezone.now()
