"""Database work is retried during an outage, and nothing is written twice."""

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
    return UserFactory.create()


real_commit = BaseDatabaseWrapper._commit  # type: ignore[attr-defined]  # a private method, which the stubs omit


@pytest.fixture(autouse=True)
def short_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(db_retry, "PAUSE", 0.05)


@pytest.fixture
def lost_reply(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The next commit succeeds, but the connection breaks before its reply: the caller cannot know the outcome."""
    happened: list[str] = []
    commit = real_commit

    def commit_and_break(wrapper: BaseDatabaseWrapper) -> None:
        commit(wrapper)
        if not happened:
            happened.append("broken")
            raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(BaseDatabaseWrapper, "_commit", commit_and_break)
    yield happened
    assert happened, "no commit was made"


def events_of(article: Article) -> list[tuple[int, str]]:
    return [(event.seq, event.payload.get("step", event.type)) for event in article.events.all()]


def test_a_commit_whose_reply_was_lost_is_not_repeated(owner: User, lost_reply: list[str]) -> None:
    lost_reply.append("not yet")
    article = make_article(owner)
    held = claim(article)
    lost_reply.clear()
    usage = Usage(calls=1, prompt_tokens=10)
    write_changes(
        held, [step_started("research:plan"), step_completed("research:plan", SectionText(markdown=""), usage)]
    )
    assert events_of(article) == [
        (1, "status_change"),
        (2, "status_change"),
        (3, "research:plan"),
        (4, "research:plan"),
    ]
    assert Run.objects.get().steps.get().prompt_tokens == 10


def test_costs_without_an_event_are_counted_once(owner: User, lost_reply: list[str]) -> None:
    lost_reply.append("not yet")
    held = claim(make_article(owner))
    write_changes(held, [step_started("research:plan")])
    lost_reply.clear()
    write_changes(held, [StepAbandoned(StepKey.parse("research:plan"), Usage(calls=1, prompt_tokens=10))])
    done = Run.objects.get().steps.get()
    assert (done.model_calls, done.prompt_tokens) == (1, 10)


def park(held: Claim) -> None:
    park_run(held, ProviderUnavailable("The model's server failed (503).", model="test-model"))


@pytest.mark.parametrize("ending", [park, lambda held: hand_over(held, "Its worker was stopped")])
def test_releasing_a_run_waits_for_the_database(
    owner: User, monkeypatch: pytest.MonkeyPatch, ending: Callable[[Claim], None]
) -> None:
    article = make_article(owner)
    held = claim(article)
    commit, tries = real_commit, []

    def busy(wrapper: BaseDatabaseWrapper) -> None:
        tries.append(1)
        if len(tries) == 1:
            raise OperationalError("the server is restarting")
        commit(wrapper)

    monkeypatch.setattr(BaseDatabaseWrapper, "_commit", busy)
    ending(held)
    run = article.runs.get()
    assert (run.status, run.token) == (Status.PENDING, None)


def test_a_completion_whose_reply_was_lost_is_not_repeated(owner: User, lost_reply: list[str]) -> None:
    lost_reply.append("not yet")
    article = make_article(owner)
    held = claim(article)
    lost_reply.clear()
    with pytest.raises(Exception, match=str(held.run_id)):
        complete_run(held, make_manuscript(), notice="")
    article.refresh_from_db()
    assert article.status == Status.COMPLETED
    assert [kind for _, kind in events_of(article)].count("revision") == 1


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL does not lock the whole database")
def test_it_waits_for_a_locked_sqlite_database(owner: User) -> None:
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
    assert events_of(article)[2:] == [(3, "research:plan")]


def test_it_gives_up_after_its_time_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(db_retry, "GIVE_UP_AFTER", 0.2)
    tries: list[int] = []

    @retry_on_outage
    def work() -> None:
        tries.append(1)
        raise OperationalError("the server is not there")

    with pytest.raises(OperationalError, match="not there"):
        work()
    assert 2 < len(tries) < 8


def test_other_errors_are_not_retried() -> None:
    tries: list[int] = []

    @retry_on_outage
    def work() -> None:
        tries.append(1)
        raise LookupError

    with pytest.raises(LookupError):
        work()
    assert len(tries) == 1
