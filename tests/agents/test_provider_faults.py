"""Faults of the model provider, from the response to the message a person sees.

docs/reliability.md has a row for each, which tests/test_reliability_page.py holds to the tests there are.
"""

from __future__ import annotations

import re
from collections import Counter
from datetime import timedelta
from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django import Settings

from agents.llm import chat, retry
from agents.pipeline.steps import StepKey
from agents.worker.jobs import run_next, run_now
from articles.models import Article, Run, Status, StepStatus
from articles.services import NewSource, retry_run
from tests import prompts
from tests.factories import UserFactory, make_article
from tests.model_server import ModelServer

pytestmark = pytest.mark.django_db(transaction=True)

ALWAYS = 10_000
WITHOUT_END = b'data: {"choices": [{"delta": {"content": "Half a"}}]}\n\ndata: [DONE]\n\n'
SECTION = prompts.WRITE
SURVEY = NewSource(title="Survey", text="Flat roofs are the largest unused surface of most cities and hold rain. " * 12)


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """No pause between attempts, unless the server asks for one."""
    monkeypatch.setattr("agents.llm.retry.pause", lambda fault, attempt: fault.retry_after or 0.0)


@pytest.fixture
def model(settings: Settings, model_server: ModelServer) -> ModelServer:
    settings.SEARCH_PROVIDER, settings.HAS_MODEL, settings.IMAGE_MODEL = "none", True, "test-image"
    settings.OPENAI_BASE_URL = model_server.url
    settings.LLM_MODELS = dict.fromkeys(settings.LLM_MODELS, "test-model")
    return model_server


@pytest.fixture
def owner() -> User:
    return UserFactory()


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


# Outages: the run waits


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_short_outage_is_retried(owner: User, model: ModelServer, status: int) -> None:
    model.fail(match=SECTION, status=status, times=3)
    assert made(owner).status == Status.COMPLETED


def test_a_429_is_retried_after_the_requested_time(owner: User, model: ModelServer) -> None:
    model.fail(status=429, retry_after=1)
    assert made(owner).status == Status.COMPLETED
    first, second = model.calls[:2]
    assert second.at - first.ended >= 1


def test_a_429_without_retry_after_is_tried_six_times_and_parks_the_run(owner: User, model: ModelServer) -> None:
    model.fail(status=429, times=ALWAYS)
    is_parked(made(owner), r"rate limit was exceeded \(429\).*6 attempts")
    assert set(Counter(call.prompt for call in model.calls).values()) == {retry.ATTEMPTS}


def test_a_429_that_asks_for_an_hour_parks_the_run_for_an_hour(owner: User, model: ModelServer) -> None:
    model.fail(status=429, retry_after=3600, times=ALWAYS)
    run = is_parked(made(owner), "429")
    assert asked_for_once(model)
    assert run.not_before
    assert run.not_before > timezone.now() + timedelta(minutes=59)


@pytest.mark.parametrize(("status", "why"), [(500, r"failed \(500\)"), (503, r"overloaded or starting \(503\)")])
def test_a_server_that_keeps_failing_parks_the_run(owner: User, model: ModelServer, status: int, why: str) -> None:
    model.fail(status=status, times=ALWAYS)
    is_parked(made(owner), why)


def test_a_server_that_refuses_the_connection_parks_the_run(
    owner: User, model: ModelServer, settings: Settings, unused_tcp_port: int
) -> None:
    settings.OPENAI_BASE_URL = f"http://127.0.0.1:{unused_tcp_port}/v1"
    is_parked(made(owner), "cannot be reached")


def test_an_unknown_host_name_parks_the_run(owner: User, model: ModelServer, settings: Settings) -> None:
    settings.OPENAI_BASE_URL = "http://nobody.invalid/v1"
    is_parked(made(owner), "host name of the model server cannot be resolved")


def test_a_server_that_never_starts_to_answer_parks_the_run(
    owner: User, model: ModelServer, settings: Settings
) -> None:
    settings.LLM_TIMEOUT, settings.LLM_PATIENCE = 0.2, 0.5
    model.fail(hang=5, times=ALWAYS)
    is_parked(made(owner), "did not answer in time")


def test_a_server_that_stops_during_its_answer_parks_the_run(
    owner: User, model: ModelServer, settings: Settings
) -> None:
    settings.LLM_TIMEOUT, settings.LLM_PATIENCE = 1.0, 0.5
    model.fail(match=SECTION, stall=5, times=ALWAYS)
    is_parked(made(owner), "stopped responding during its answer")


def test_an_answer_that_breaks_off_is_requested_again(owner: User, model: ModelServer) -> None:
    model.fail(match=SECTION, cut=0.5, times=3)
    assert made(owner).status == Status.COMPLETED


@pytest.mark.parametrize("fault", [{"cut": 0.5}, {"raw": WITHOUT_END}], ids=["cut", "without an end"])
def test_answers_that_keep_breaking_off_park_the_run(owner: User, model: ModelServer, fault: dict[str, object]) -> None:
    model.fail(match=SECTION, **fault, times=ALWAYS)
    is_parked(made(owner), "closed the connection.*6 attempts")


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (b'{"message": "Sorry about that!", "type": "server_error", "code": null}', r"failed \(500\).*6 attempts"),
        (b'{"message": "Overloaded", "code": 503}', r"overloaded or starting \(503\).*6 attempts"),
        (b'"out of memory"', "failed during its answer.*6 attempts"),
    ],
    ids=["of a known type", "of a status", "of no type"],
)
def test_a_server_that_keeps_failing_during_its_answer_parks_the_run(
    owner: User, model: ModelServer, error: bytes, why: str
) -> None:
    model.fail(match=SECTION, raw=b'data: {"error": ' + error + b"}\n\n", times=ALWAYS)
    is_parked(made(owner), why)


# After an outage


def test_work_done_before_an_outage_is_not_repeated(owner: User, model: ModelServer) -> None:
    model.fail(match=SECTION, status=503, times=ALWAYS)
    run = is_parked(made(owner), "503")
    model.faults.clear()
    try_again(run)
    assert Article.objects.get().status == Status.COMPLETED
    answered = Counter(call.prompt for call in model.calls if call.status == 200)
    assert max(answered.values()) == 1


def test_all_queued_runs_wait_for_an_outage_and_finish_after_it(owner: User, model: ModelServer) -> None:
    model.fail(status=503, times=ALWAYS)
    runs = [new_article(owner).runs.get() for _ in range(5)]
    for run in runs:
        run_next(run.pk)
    for article in Article.objects.all():
        is_parked(article, "503")
    assert len(model.calls) == 2 * retry.ATTEMPTS, "only two asked, the others wait with them"
    try_again(runs[0])
    assert len(model.calls) == 3 * retry.ATTEMPTS, "one tries for all"
    model.faults.clear()
    try_again(runs[0])
    for run in runs:
        run_next(run.pk)
    assert {article.status for article in Article.objects.all()} == {Status.COMPLETED}


def test_try_now_resumes_a_parked_run(owner: User, model: ModelServer) -> None:
    model.fail(status=503, times=retry.ATTEMPTS)
    article = made(owner)
    run = is_parked(article, "503")
    retry_run(article=article, by=owner)
    run_next(run.pk)
    article.refresh_from_db()
    assert article.status == Status.COMPLETED


def test_the_command_says_that_its_article_waits(owner: User, model: ModelServer) -> None:
    model.fail(status=503, times=ALWAYS)
    with pytest.raises(
        CommandError, match=r"Waiting for the AI provider, next try \d\d:\d\d UTC\. A running studio continues it"
    ):
        call_command("write", "Rooftop gardens", "--words", "300", "--no-image", stderr=StringIO())
    assert Run.objects.get().is_parked


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
    sections = len(article.runs.get().steps.with_key(StepKey.parse("outline:plan")).get().output["sections"])
    assert len(model.prompts(SECTION)) <= 3 < sections, "some are sent before the failure of the first is recorded"


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
    model.fail(text='{"wrong": 1}', times=ALWAYS)
    has_failed(made(owner), "keeps returning invalid JSON")
    assert len(model.calls) == 1 + chat.MAX_CORRECTIONS


# Images


def test_an_article_is_completed_without_a_picture_if_none_can_be_drawn(owner: User, model: ModelServer) -> None:
    model.fail(path="/v1/images/generations", status=503, times=ALWAYS)
    article = made(owner, include_image=True)
    assert article.status == Status.COMPLETED
    assert "The article has no image" in article.notice


def test_an_article_does_not_wait_for_its_picture_alone(owner: User, model: ModelServer) -> None:
    model.fail(match=prompts.PICTURE, status=503, times=ALWAYS)
    article = made(owner, include_image=True)
    assert article.status == Status.COMPLETED
    assert re.search(r"The article has no image\. .*\(503\)", article.notice)
    assert article.runs.get().steps.with_key(StepKey.parse("image:prompt")).get().status == StepStatus.FAILED


def test_a_picture_is_planned_again_if_the_sections_waited_too(owner: User, model: ModelServer) -> None:
    for words in (prompts.PICTURE, SECTION):
        model.fail(match=words, status=503, times=ALWAYS)
    article = made(owner, include_image=True)
    assert article.runs.get().is_parked
    model.faults.clear()
    try_again(article.runs.get())
    article.refresh_from_db()
    assert article.image.name
    assert "no image" not in article.notice
