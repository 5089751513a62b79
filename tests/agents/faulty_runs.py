"""Runs of articles whose model server fails, and what became of them."""

from __future__ import annotations

import re
from collections import Counter

from django.contrib.auth.models import User
from django.utils import timezone

from agents.worker.jobs import run_next, run_now
from articles.models import Article, Run, Status, StepStatus
from articles.services import NewSource
from tests import prompts
from tests.factories import make_article
from tests.model_server import ModelServer

ALWAYS = 10_000
SECTION = prompts.WRITE
SURVEY = NewSource(title="Survey", text="Flat roofs are the largest unused surface of most cities and hold rain. " * 12)


def new_article(owner: User, *, include_image: bool = False) -> Article:
    return make_article(owner, sources=(SURVEY,), min_words=300, include_image=include_image)


def made(owner: User, *, include_image: bool = False) -> Article:
    """The article after its run was performed."""
    article = new_article(owner, include_image=include_image)
    run_now(article.runs.get().pk)
    article.refresh_from_db()
    return article


def is_parked(article: Article, why: str) -> Run:
    """Check that the article waits for its model and says why; its run."""
    run = article.runs.get()
    assert run.is_parked, article.message
    assert re.fullmatch(r"Waiting for the AI provider, next try \d\d:\d\d UTC", article.message)
    assert re.search(why, run.reason), run.reason
    assert run.token is None, "it holds no worker"
    assert not run.steps.filter(status=StepStatus.FAILED).exists(), "it has not failed, it waits"
    return run


def has_failed(article: Article, why: str) -> None:
    assert article.status == Status.FAILED, article.message
    assert re.search(why, article.message), article.message


def asked_for_once(model: ModelServer) -> bool:
    """Whether no prompt was sent twice."""
    return max(Counter(call.prompt for call in model.calls).values()) == 1


def try_again(run: Run) -> None:
    """Performs the run again after its pause."""
    Run.objects.filter(pk=run.pk).update(not_before=timezone.now())
    run_next(run.pk)
