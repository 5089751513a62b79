"""Stopping active runs: a deploy, Ctrl-C, a cancelled or deleted article. No work is lost, and no call continues."""

from __future__ import annotations

import time
from collections import Counter

import pytest

from tests import prompts
from tests.chaos.form import within
from tests.chaos.studio import LiveStudio
from tests.chaos.witness import asked, asked_twice, faults_in, faults_of
from tests.model_server import ModelServer
from tests.waiting import wait_until

HANG = 60.0  # seconds for which the model server does not answer: a call only ends earlier if it is closed

# A call of each kind of step, by words of its prompt.
CALLS = [
    prompts.FIND,
    prompts.PLAN,
    prompts.WRITE,
    prompts.WRITE_ARTICLE,
    prompts.CHOOSE,
    prompts.EDIT,
    prompts.JUDGE,
    prompts.PROOFREAD,
    prompts.DESCRIBE,
    prompts.PICTURE,
]


def in_flight(model: ModelServer, words: str) -> bool:
    return any(words in call.prompt and not call.ended for call in list(model.calls))


def finished(studio: LiveStudio, model: ModelServer, article: int) -> list[str]:
    """Wait until the article is completed; the messages of its changes of status."""
    wait_until(lambda: studio.status(article) == "completed", seconds=120)
    log = studio.events(article)
    assert list(faults_of(log)) == list(faults_in(studio.result(article))) == []
    assert list(asked_twice(asked(model, studio.topics()), {article: log})) == []
    return [event["message"] for event in log if event["type"] == "status_change"]


def test_stopped_workers_hand_over_their_runs(studio: LiveStudio, model: ModelServer) -> None:
    article = studio.order("Roofs whose writer is stopped")
    wait_until(lambda: in_flight(model, prompts.WRITE))
    (pool,) = studio.members("pool")
    pool.terminate()
    wait_until(lambda: not pool.is_running(), seconds=within(10))
    wait_until(lambda: all(call.ended for call in list(model.calls)), seconds=within(1))
    messages = finished(studio, model, article)
    assert messages[2:4] == [
        "The worker was stopped. Another one will continue.",
        "Work goes on where it stopped",
    ]


def test_a_restarted_studio_resumes_its_runs(studio: LiveStudio, model: ModelServer) -> None:
    articles = [studio.order(f"Roofs of a studio that stops, part {number}") for number in (1, 2)]
    wait_until(lambda: len(studio.holders()) == 2 and in_flight(model, prompts.WRITE))
    assert studio.stop() < within(10)
    assert not studio.holders(), "a run still has a worker that has ended"
    assert all(call.ended for call in model.calls)
    studio.start()
    for article in articles:
        assert "The worker was stopped. Another one will continue." in finished(studio, model, article)


@pytest.mark.parametrize("words", CALLS)
def test_cancelling_closes_the_call(studio: LiveStudio, model: ModelServer, words: str) -> None:
    model.token_seconds = 0
    model.fail(match=words, hang=HANG)
    article = studio.order(f"Roofs that are cancelled at “{words[:12]}”", min_words=300)
    wait_until(lambda: in_flight(model, words))
    studio.ask("POST", f"/articles/{article}/cancel")
    cancelled = time.monotonic()
    wait_until(lambda: all(call.ended for call in list(model.calls)))
    assert max(call.ended for call in model.calls) - cancelled < within(1, HANG / 2)
    assert studio.status(article) == "cancelled"
    assert [event["seq"] for event in studio.events(article)][-1] == len(studio.events(article))


def test_a_cancelled_run_resumes_without_repeating_calls(studio: LiveStudio, model: ModelServer) -> None:
    article = studio.order("Roofs that are cancelled and taken up again")
    wait_until(lambda: in_flight(model, prompts.WRITE))
    studio.ask("POST", f"/articles/{article}/cancel")
    studio.ask("POST", f"/articles/{article}/retry")
    assert "Cancelled" in " ".join(finished(studio, model, article))
    plans = Counter(call.prompt for call in model.calls if prompts.PLAN in call.prompt)
    assert set(plans.values()) == {1}


def test_deleting_a_running_article_closes_its_call(studio: LiveStudio, model: ModelServer) -> None:
    model.fail(match=prompts.WRITE, hang=HANG)
    article = studio.order("Roofs that are deleted")
    wait_until(lambda: in_flight(model, prompts.WRITE))
    studio.ask("DELETE", f"/articles/{article}")
    deleted = time.monotonic()
    wait_until(lambda: all(call.ended for call in list(model.calls)))
    assert max(call.ended for call in model.calls) - deleted < within(1, HANG / 2)
    assert article not in studio.topics()
    assert article not in studio.holders()
