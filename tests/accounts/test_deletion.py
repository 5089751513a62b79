"""A person is deleted with everything that belongs to them, and nothing of anybody else."""

from __future__ import annotations

import re
import shutil
from typing import Any

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.auth.models import User
from django.core.files.storage import default_storage, storages
from django.core.management import CommandError, call_command
from django.test import Client

from accounts.models import AuditAction, AuditEntry
from accounts.personal_data.deletion import delete_person
from accounts.personal_data.exports import FOLDER
from articles.exceptions import InvalidState
from articles.models import ApiKey, Revision, Status
from articles.services import save_text
from tests.accounts.people import person, ready_export, text
from tests.environment import VAR
from tests.factories import PASSWORD, StaffFactory
from tests.signed_in import sign_in

pytestmark = pytest.mark.django_db


def everything() -> dict[str, list[dict[str, Any]]]:
    """All rows of all tables of the studio, by model."""
    from django.apps import apps

    labels = ("articles", "accounts", "auth", "mfa", "usersessions", "socialaccount", "sessions", "admin")
    tables = [model for label in labels for model in apps.get_app_config(label).get_models()]
    return {model._meta.label: list(model._default_manager.order_by("pk").values()) for model in tables}


def files() -> set[str]:
    uploads = storages["uploads"].listdir("")[1] if storages["uploads"].exists("") else []
    covers = default_storage.listdir("covers")[0] if default_storage.exists("covers") else []
    return {*uploads, *covers}


@pytest.fixture
def no_files() -> None:
    """Of earlier tests, whose rows are gone."""
    for folder in ("media", "uploads"):
        shutil.rmtree(VAR / folder, ignore_errors=True)


class TestDeletion:
    @pytest.fixture(autouse=True)
    def commits(self, django_capture_on_commit_callbacks: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        """Files are deleted once a transaction is committed; a test never commits."""
        self.committed = django_capture_on_commit_callbacks

    def delete(self, user: User, by: User | None = None) -> None:
        with self.committed(execute=True):
            delete_person(user, by=by)

    def test_nothing_of_the_person_stays_and_all_of_others_does(self, no_files: None, bob: User) -> None:
        StaffFactory.create(username="root")
        before, stored = everything(), files()
        ada = person("ada")
        ready_export(ada)
        self.delete(ada)
        after = everything()
        for table in before:
            rows = {row["id"] if "id" in row else str(row): row for row in before[table]}
            for row in after[table]:
                key = row["id"] if "id" in row else str(row)
                if key in rows:
                    assert row == rows.pop(key), table
                else:
                    assert table == "accounts.AuditEntry"
            assert rows == {}, f"{table}: rows of others are gone"
        assert re.findall(r".{60}\bada\b.{60}", repr(after)) == []
        assert "192.0.2.7" not in repr([row for row in after["accounts.AuditEntry"] if row["username"] != "bob"])
        assert files() == stored
        assert not storages["uploads"].exists(FOLDER) or storages["uploads"].listdir(FOLDER)[1] == []

    def test_the_audit_log_keeps_a_pseudonym(self, ada: User) -> None:
        root = StaffFactory.create(username="root")
        pk = ada.pk
        self.delete(ada, by=root)
        assert AuditEntry.objects.filter(username=f"deleted user {pk}", user=None, address=None).exists()
        (entry,) = AuditEntry.objects.filter(action=AuditAction.USER_DELETED)
        assert entry.details == {"account": f"deleted user {pk}"}

    def test_texts_in_articles_of_others_stay_with_a_pseudonym(self, ada: User, bob: User) -> None:
        article, pk = bob.articles.exclude(content="").get(), ada.pk
        save_text(article=article, by=ada, title="T", content="## Ada was here", opened_at=2)
        self.delete(ada)
        assert Revision.objects.get(content="## Ada was here").author == f"deleted user {pk}"
        assert Revision.objects.filter(article=article, number=1).get().author == "The crew"

    def test_sessions_and_keys_end(self, client: Client, ada: User) -> None:
        _, key = ApiKey.objects.issue(ada, "program")
        sign_in(client, ada)
        UserSession.objects.create(user=ada, ip="192.0.2.7", session_key=client.session.session_key)
        self.delete(ada)
        assert client.get("/account/").status_code == 302
        assert client.get("/api/articles/", headers={"Authorization": f"Bearer {key}"}).status_code == 401

    def test_one_that_was_interrupted_can_be_repeated(self, ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
        def killed(**options: Any) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr("accounts.personal_data.deletion.services.delete_articles", killed)
            with pytest.raises(KeyboardInterrupt):
                self.delete(ada)
        assert not User.objects.get(pk=ada.pk).is_active
        assert not ada.api_keys.usable().exists()
        self.delete(ada)
        assert not User.objects.filter(pk=ada.pk).exists()

    def test_runs_in_progress_are_cancelled(self, ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
        seen = []
        monkeypatch.setattr("articles.services.articles.cancel_run", lambda *, article, by: seen.append(article.status))
        self.delete(ada)
        assert seen == [Status.PENDING]

    def test_the_last_administrator_stays(self, client: Client) -> None:
        root = StaffFactory.create(username="root")
        StaffFactory.create(username="former", is_active=False)
        with pytest.raises(InvalidState, match="only administrator"):
            delete_person(root, by=root)
        with pytest.raises(CommandError, match="only administrator"):
            call_command("personaldata", "delete", "root", "--yes")
        sign_in(client, root)
        assert "only administrator" in text(client.post("/account/delete/", {"name": "root"}))
        assert client.post(f"/admin/auth/user/{root.pk}/delete/", {"post": "yes"}).status_code == 302
        root.refresh_from_db()
        assert root.is_active
        StaffFactory.create(username="second")
        self.delete(root, by=root)


class TestThePage:
    def test_it_asks_for_a_confirmation_and_the_name(self, client: Client, ada: User) -> None:
        sign_in(client, ada, seconds_ago=3600)
        assert client.post("/account/delete/", {"name": "ada"})["Location"].startswith("/sign-in/confirm/")
        sign_in(client, ada)
        assert "Type <b>ada</b>" in text(client.get("/account/delete/"))
        assert "Type ada to confirm." in text(client.post("/account/delete/", {"name": "bob"}))
        assert User.objects.filter(pk=ada.pk).exists()

    def test_it_deletes_and_signs_out(self, client: Client, ada: User) -> None:
        sign_in(client, ada)
        answer = client.post("/account/delete/", {"name": "ada"})
        assert "Your account is deleted" in text(answer)
        assert not User.objects.filter(username="ada").exists()
        assert client.get("/account/").status_code == 302
        (entry,) = AuditEntry.objects.filter(action=AuditAction.USER_DELETED)
        assert entry.username == f"deleted user {ada.pk}"
        assert client.post("/sign-in/", {"username": "ada", "password": PASSWORD}).status_code == 200

    def test_administrators_delete_in_the_same_way(self, client: Client, ada: User) -> None:
        sign_in(client, StaffFactory.create())
        assert client.post(f"/admin/auth/user/{ada.pk}/delete/", {"post": "yes"}).status_code == 302
        assert not User.objects.filter(pk=ada.pk).exists()
        assert not AuditEntry.objects.filter(details__account="ada").exists()

    def test_the_command_asks(self, ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("builtins.input", lambda question: "no")
        with pytest.raises(CommandError, match="Nothing was deleted"):
            call_command("personaldata", "delete", "ada")
        monkeypatch.setattr("builtins.input", lambda question: "ada")
        call_command("personaldata", "delete", "ada")
        assert not User.objects.filter(pk=ada.pk).exists()
