"""A run fails at once if its model provider refuses it, and after a few attempts if answers stay unusable.

docs/reliability.md has a row for each fault, which tests/test_reliability_page.py holds to the tests there are.
"""

from __future__ import annotations

from collections import Counter

import pytest
from django.contrib.auth.models import User
from pytest_django import Settings

from agents.llm import chat
from agents.pipeline.steps import StepKey
from agents.worker.jobs import run_next, run_now
from articles.models import Status
from articles.services import retry_run
from tests import prompts
from tests.agents.faulty_runs import (
    ALWAYS,
    SECTION,
    SURVEY,
    asked_for_once,
    has_failed,
    made,
)
from tests.factories import make_article
from tests.model_server import ModelServer

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_retry_pauses")]


# Permanent faults: the run fails at once


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        ({"status": 401}, "key is invalid"),
        ({"status": 404}, "has no model named test-model"),
    ],
    ids=["401", "404"],
)
def test_a_wrong_key_or_model_fails_the_run_at_once(
    owner: User, model: ModelServer, fault: dict[str, object], why: str
) -> None:
    model.fail(**fault, times=ALWAYS)
    has_failed(made(owner), why)
    assert asked_for_once(model)


def test_a_server_that_does_not_speak_tls_fails_the_run_at_once(
    owner: User, model: ModelServer, settings: Settings
) -> None:
    settings.OPENAI_BASE_URL = model.url.replace("http:", "https:")
    has_failed(made(owner), "does not speak TLS")


def test_a_key_revoked_during_a_run_fails_it_and_keeps_finished_work(owner: User, model: ModelServer) -> None:
    model.fail(match=SECTION, status=401, times=ALWAYS)
    article = made(owner)
    has_failed(article, "key is invalid")
    run = article.runs.get()
    assert run.steps.done().with_key(StepKey.parse("outline:plan")).exists()
    model.faults.clear()
    retry_run(article=article, by=owner)
    run_next(run.pk)
    article.refresh_from_db()
    assert article.status == Status.COMPLETED
    answered = Counter(call.prompt for call in model.calls if call.status == 200)
    assert max(answered.values()) == 1


def test_a_revoked_key_is_not_tried_for_the_remaining_sections(
    owner: User, model: ModelServer, settings: Settings
) -> None:
    settings.LLM_MAX_CONCURRENCY = 1
    model.fail(match=SECTION, hang=0.3, status=401, times=ALWAYS)
    article = make_article(owner, sources=(SURVEY,), min_words=3000)
    run_now(article.runs.get().pk)
    article.refresh_from_db()
    has_failed(article, "key is invalid")
    plan = article.runs.get().steps.with_key(StepKey.parse("outline:plan")).get().output
    assert plan
    assert len(model.prompts(SECTION)) <= 3 < len(plan["sections"]), (
        "some are sent before the failure of the first is recorded"
    )


def test_a_used_up_quota_fails_the_run_at_once(owner: User, model: ModelServer) -> None:
    model.fail(match=SECTION, status=429, code="insufficient_quota", times=ALWAYS)
    has_failed(made(owner), "quota is used up")
    assert asked_for_once(model)


def test_a_text_too_long_for_the_model_fails_the_run_at_once(owner: User, model: ModelServer) -> None:
    model.fail(match=SECTION, status=400, code="context_length_exceeded", times=ALWAYS)
    has_failed(made(owner), "too long for test-model")
    assert asked_for_once(model)


@pytest.mark.parametrize(
    "fault",
    [{"status": 400, "code": "content_filter"}, {"text": "Half a", "finish_reason": "content_filter"}],
    ids=["of what was asked", "of the answer"],
)
def test_a_content_filter_fails_the_run_at_once(owner: User, model: ModelServer, fault: dict[str, object]) -> None:
    model.fail(match=SECTION, **fault, times=ALWAYS)
    has_failed(made(owner), "content filter")
    assert asked_for_once(model)


# Answers that are none: asked for again, then the run fails


def test_a_bad_answer_is_requested_again(owner: User, model: ModelServer) -> None:
    model.fail(match=SECTION, text="")
    model.fail(match=SECTION, raw=b"data: {nonsense\n\n")
    model.fail(match="JSON", text='{"wrong": 1}')
    assert made(owner).status == Status.COMPLETED


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        ({"text": ""}, "empty answer.*6 attempts"),
        ({"raw": b"data: {nonsense\n\n"}, "could not be parsed.*6 attempts"),
    ],
    ids=["empty", "garbage"],
)
def test_unusable_answers_fail_the_run_after_six_attempts(
    owner: User, model: ModelServer, fault: dict[str, object], why: str
) -> None:
    model.fail(match=SECTION, **fault, times=ALWAYS)
    has_failed(made(owner), why)


def test_invalid_answers_fail_the_run_after_two_corrections(owner: User, model: ModelServer) -> None:
    model.fail(match=prompts.PLAN, text='{"wrong": 1}', times=ALWAYS)
    has_failed(made(owner), "keeps returning invalid JSON")
    assert len(model.prompts(prompts.PLAN)) == 1 + chat.MAX_CORRECTIONS
