"""A store that is away for a moment costs time, and nothing is written twice."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError, connection
from django.db.backends.base.base import BaseDatabaseWrapper

from agents.contract import SectionText
from agents.costs.usage import Usage
from agents.exceptions import ProviderUnavailable
from agents.pipeline.steps import StepKey
from articles.models import Article, Run, Status
from articles.runs import db_retry
from articles.runs.db_retry import retry_on_outage
from articles.runs.journal import complete_run
from articles.runs.lease import Claim
from articles.runs.outages import park_run
from articles.runs.recovery import hand_over
from articles.runs.step_writer import StepAbandoned, write_changes
from tests.factories import UserFactory, claim, make_article, make_manuscript, step_completed, step_started
from tests.waiting import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def owner() -> User:
    return UserFactory()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(db_retry, "PAUSE", 0.05)


@pytest.fixture
def unanswered(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The next commit is made, but the connection breaks before it is answered: the one fault that leaves a doubt."""
    happened: list[str] = []
    commit = BaseDatabaseWrapper._commit

    def commit_and_break(wrapper: BaseDatabaseWrapper) -> None:
        commit(wrapper)
        if not happened:
            happened.append("broken")
            raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(BaseDatabaseWrapper, "_commit", commit_and_break)
    yield happened
    assert happened, "no commit was made"


def told(article: Article) -> list[tuple[int, str]]:
    return [(event.seq, event.payload.get("step", event.type)) for event in article.events.all()]


def test_a_commit_whose_answer_was_lost_is_not_repeated(owner: User, unanswered: list[str]) -> None:
    unanswered.append("not yet")
    article = make_article(owner)
    held = claim(article)
    unanswered.clear()
    usage = Usage(calls=1, prompt_tokens=10)
    write_changes(
        held, [step_started("research:plan"), step_completed("research:plan", SectionText(markdown=""), usage)]
    )
    assert told(article) == [
        (1, "status_change"),
        (2, "status_change"),
        (3, "research:plan"),
        (4, "research:plan"),
    ]
    assert Run.objects.get().steps.get().prompt_tokens == 10


def test_what_is_counted_without_an_event_is_counted_once(owner: User, unanswered: list[str]) -> None:
    unanswered.append("not yet")
    held = claim(make_article(owner))
    write_changes(held, [step_started("research:plan")])
    unanswered.clear()
    write_changes(held, [StepAbandoned(StepKey.parse("research:plan"), Usage(calls=1, prompt_tokens=10))])
    done = Run.objects.get().steps.get()
    assert (done.model_calls, done.prompt_tokens) == (1, 10)


def park(held: Claim) -> None:
    park_run(held, ProviderUnavailable("The model's server failed (503).", model="test-model"))


@pytest.mark.parametrize("ending", [park, lambda held: hand_over(held, "Its worker was stopped")])
def test_who_lets_go_of_a_run_waits_for_the_store(
    owner: User, monkeypatch: pytest.MonkeyPatch, ending: Callable[[Claim], None]
) -> None:
    article = make_article(owner)
    held = claim(article)
    commit, tries = BaseDatabaseWrapper._commit, []

    def busy(wrapper: BaseDatabaseWrapper) -> None:
        tries.append(1)
        if len(tries) == 1:
            raise OperationalError("the server is restarting")
        commit(wrapper)

    monkeypatch.setattr(BaseDatabaseWrapper, "_commit", busy)
    ending(held)
    run = article.runs.get()
    assert (run.status, run.token) == (Status.PENDING, None)


def test_an_end_whose_answer_was_lost_is_an_end(owner: User, unanswered: list[str]) -> None:
    unanswered.append("not yet")
    article = make_article(owner)
    held = claim(article)
    unanswered.clear()
    with pytest.raises(Exception, match=str(held.run_id)):
        complete_run(held, make_manuscript(), notice="")
    article.refresh_from_db()
    assert article.status == Status.COMPLETED
    assert [kind for _, kind in told(article)].count("revision") == 1


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL has no file that one writer holds")
def test_a_busy_sqlite_is_waited_for(owner: User) -> None:
    article = make_article(owner)
    held = claim(article)
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout = 100")
    locked = threading.Event()

    def hold_lock() -> None:
        other = sqlite3.connect(str(connection.settings_dict["NAME"]), isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        locked.set()
        time.sleep(0.6)
        other.execute("ROLLBACK")
        other.close()

    holder = threading.Thread(target=hold_lock)
    holder.start()
    wait_until(locked.is_set)
    write_changes(held, [step_started("research:plan")])
    holder.join()
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout = 20000")
    assert told(article)[2:] == [(3, "research:plan")]


def test_patience_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(db_retry, "PATIENCE", 0.2)
    tries: list[int] = []

    @retry_on_outage
    def work() -> None:
        tries.append(1)
        raise OperationalError("the server is not there")

    with pytest.raises(OperationalError, match="not there"):
        work()
    assert 2 < len(tries) < 8


def test_a_mistake_is_not_tried_again() -> None:
    tries: list[int] = []

    @retry_on_outage
    def work() -> None:
        tries.append(1)
        raise LookupError

    with pytest.raises(LookupError):
        work()
    assert len(tries) == 1
