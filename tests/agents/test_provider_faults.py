"""A run waits while its model provider is unavailable, and no finished work is repeated.

docs/reliability.md has a row for each fault, which tests/test_reliability_page.py holds to the tests there are.
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

from agents.llm import retry
from agents.pipeline.steps import StepKey
from agents.worker.jobs import run_next
from articles.models import Article, Run, Status, StepStatus
from articles.services import retry_run
from tests import prompts
from tests.agents.faulty_runs import (
    ALWAYS,
    SECTION,
    asked_for_once,
    is_parked,
    made,
    new_article,
    try_again,
)
from tests.model_server import ModelServer

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_retry_pauses")]

WITHOUT_END = b'data: {"choices": [{"delta": {"content": "Half a"}}]}\n\ndata: [DONE]\n\n'


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
    asked = 6 * retry.ATTEMPTS
    assert len(model.calls) == asked, "two asked for findings, outline and second draft, the others wait with them"
    try_again(runs[0])
    assert len(model.calls) == 9 * retry.ATTEMPTS, "one tries for all"
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
