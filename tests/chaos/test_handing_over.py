"""Stopping what is at work: a deploy, Ctrl-C, a cancelled or deleted article. Nothing done is lost, nothing goes on unseen."""

from __future__ import annotations

import time
from collections import Counter

import pytest

from tests.chaos.form import within
from tests.chaos.studio import LiveStudio
from tests.chaos.witness import asked, asked_twice, faults_in, faults_of
from tests.model_server import ModelServer
from tests.waiting import wait_until

HANG = 60.0  # seconds for which the model's server says nothing: a call ends earlier only where it is closed

# A call of each kind of step, by words of its prompt.
CALLS = [
    "Write the 4 questions",
    "One of the questions it has to answer:",
    "Plan exactly",
    "The one to plan is number 2:",
    "You write one section",
    "Read this article as its readers will",
    "Check what an article cites",
    "Describe this article for search results",
    "Choose the picture",
]


def in_flight(model: ModelServer, words: str) -> bool:
    return any(words in call.prompt and not call.ended for call in list(model.calls))


def finished(studio: LiveStudio, model: ModelServer, article: int) -> list[str]:
    """Wait until the article is completed; what its history says of handing over."""
    wait_until(lambda: studio.status(article) == "completed", seconds=120)
    log = studio.events(article)
    assert list(faults_of(log)) == list(faults_in(studio.result(article))) == []
    assert list(asked_twice(asked(model, studio.topics()), {article: log})) == []
    return [event["message"] for event in log if event["type"] == "status_change"]


def test_workers_that_are_stopped_hand_their_runs_over(studio: LiveStudio, model: ModelServer) -> None:
    article = studio.order("Roofs whose writer is stopped")
    wait_until(lambda: in_flight(model, "You write one section"))
    (pool,) = studio.members("pool")
    pool.terminate()
    wait_until(lambda: not pool.is_running(), seconds=within(10))
    wait_until(lambda: all(call.ended for call in list(model.calls)), seconds=within(1))
    told = finished(studio, model, article)
    assert told[2:4] == [
        "The worker was stopped. Another one will continue.",
        "Work goes on where it stopped",
    ]


def test_a_studio_that_was_stopped_goes_on_by_itself_when_it_is_started(studio: LiveStudio, model: ModelServer) -> None:
    articles = [studio.order(f"Roofs of a studio that stops, part {number}") for number in (1, 2)]
    wait_until(lambda: len(studio.holders()) == 2 and in_flight(model, "You write one section"))
    assert studio.stop() < within(10)
    assert not studio.holders(), "a run was left in the hands of a worker that is gone"
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


def test_what_was_cancelled_goes_on_where_it_stopped(studio: LiveStudio, model: ModelServer) -> None:
    article = studio.order("Roofs that are cancelled and taken up again")
    wait_until(lambda: in_flight(model, "You write one section"))
    studio.ask("POST", f"/articles/{article}/cancel")
    studio.ask("POST", f"/articles/{article}/retry")
    assert "Cancelled" in " ".join(finished(studio, model, article))
    plans = Counter(call.prompt for call in model.calls if "Plan exactly" in call.prompt)
    assert set(plans.values()) == {1}


def test_deleting_a_running_article_stops_it_first(studio: LiveStudio, model: ModelServer) -> None:
    model.fail(match="You write one section", hang=HANG)
    article = studio.order("Roofs that are deleted")
    wait_until(lambda: in_flight(model, "You write one section"))
    studio.ask("DELETE", f"/articles/{article}")
    deleted = time.monotonic()
    wait_until(lambda: all(call.ended for call in list(model.calls)))
    assert max(call.ended for call in model.calls) - deleted < within(1, HANG / 2)
    assert article not in studio.topics()
    assert article not in studio.holders()
