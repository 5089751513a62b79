"""How many exports run at once, over threads and processes."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from articles.exceptions import ExportBusy
from articles.exports import concurrency
from articles.exports.concurrency import MAX_EXPORTS, export_slot
from tests.factories import StaffFactory, UserFactory, make_completed_article

HOLD_A_SLOT = """
import fcntl, sys
file = open(sys.argv[1], "wb")
fcntl.flock(file, fcntl.LOCK_EX)
print("locked", flush=True)
sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def own_locks(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.LOCAL = tmp_path
    monkeypatch.setattr(concurrency, "WAIT_FOR_OWN", 0.1)
    monkeypatch.setattr(concurrency, "WAIT_FOR_OTHERS", 0.1)


@pytest.fixture
def busy() -> Iterator[None]:
    with ExitStack() as stack:
        for user_id in range(1, 1 + MAX_EXPORTS):
            stack.enter_context(export_slot(user_id))
        yield


@pytest.mark.usefixtures("busy")
def test_it_refuses_more_exports_than_there_are_slots() -> None:
    with pytest.raises(ExportBusy, match="Too many exports"), export_slot(50):
        pass


def test_it_refuses_a_second_export_of_the_same_user() -> None:
    with export_slot(7), pytest.raises(ExportBusy, match="Another of your exports"), export_slot(7):
        pass


def test_a_slot_is_free_again_after_an_export_failed() -> None:
    for _ in range(2 * MAX_EXPORTS):
        with pytest.raises(ZeroDivisionError), export_slot(7):
            raise ZeroDivisionError
    with export_slot(7):
        pass


def test_it_waits_for_a_slot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(concurrency, "WAIT_FOR_OWN", 30)
    holds, let_go = threading.Event(), threading.Event()

    def hold() -> None:
        with export_slot(7):
            holds.set()
            let_go.wait(30)

    other = threading.Thread(target=hold)
    other.start()
    assert holds.wait(30)
    threading.Timer(0.2, let_go.set).start()
    with export_slot(7):
        assert let_go.is_set()
    other.join()


def test_the_slots_are_shared_with_other_processes_and_free_when_one_is_killed(tmp_path: Path) -> None:
    (tmp_path / "exports").mkdir()
    command = [sys.executable, "-c", HOLD_A_SLOT]
    processes = [
        subprocess.Popen(
            [*command, str(tmp_path / "exports" / f"slot-{number}.lock")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        for number in range(MAX_EXPORTS)
    ]
    for process in processes:
        assert process.stdout
        assert process.stdout.readline() == b"locked\n"
    with pytest.raises(ExportBusy, match="Too many exports"), export_slot(7):
        pass
    for process in processes:
        process.kill()
        process.wait()
    with export_slot(7):
        pass


@pytest.fixture
def no_slots(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(concurrency, "MAX_EXPORTS", 0)


@pytest.mark.django_db
@pytest.mark.usefixtures("no_slots")
class TestWhoIsRefused:
    def test_the_api_says_when_to_try_again(self) -> None:
        user = UserFactory.create()
        article = make_completed_article(user)
        client = signed_in(user)
        answer = client.get(f"/api/articles/{article.pk}/export/md")
        assert (answer.status_code, answer["Retry-After"]) == (429, "5")
        assert "Too many exports" in answer.json()["detail"]

    def test_the_page_says_why(self) -> None:
        user = UserFactory.create()
        article = make_completed_article(user)
        page = signed_in(user).get(reverse("article_download", args=[article.pk, "md"]), follow=True)
        assert "Too many exports are running." in page.content.decode()


@pytest.mark.django_db
def test_the_admin_downloads_a_limited_number_of_articles_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("articles.admin.actions.MAX_DOWNLOADS", 1)
    staff = StaffFactory.create()
    chosen = [make_completed_article(staff).pk for _ in range(2)]
    form = {"action": "download_md", "_selected_action": chosen}
    page = signed_in(staff).post(reverse("admin:articles_article_changelist"), form, follow=True)
    assert "Select at most 1 articles" in page.content.decode()


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client
