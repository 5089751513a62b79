"""The audit log: what is recorded, with whom and where from, as a row and as a log line; who may read it."""

from __future__ import annotations

import json
import logging
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts.models import AuditAction, AuditEntry
from articles.management.commands.sweep import clean_up
from articles.models import ApiKey
from contentstudio.logs import LogFormatter
from tests.factories import PASSWORD, StaffFactory, UserFactory
from tests.signed_in import sign_in

pytestmark = pytest.mark.django_db
NEW = "another horse, another staple"


@pytest.fixture
def ada() -> User:
    return UserFactory.create(username="ada")


@pytest.fixture
def admin(client: Client) -> User:
    """Signed in with ``client``."""
    user = StaffFactory.create(username="root")
    client.force_login(user)
    AuditEntry.objects.all().delete()
    return user


def recorded(*actions: AuditAction) -> list[tuple[str, str | None, dict[str, Any]]]:
    entries = AuditEntry.objects.filter(action__in=actions).order_by("pk")
    return [(entry.username, entry.address, entry.details) for entry in entries]


class TestSignIn:
    def test_a_success_and_the_end_of_the_session(self, client: Client, ada: User) -> None:
        client.post("/sign-in/", {"username": "ada", "password": PASSWORD})
        client.post("/sign-out/")
        assert recorded(AuditAction.SIGNED_IN) == [("ada", "127.0.0.1", {"by": ["password"]})]
        assert recorded(AuditAction.SIGNED_OUT) == [("ada", "127.0.0.1", {})]

    @pytest.mark.parametrize("page", ["/sign-in/", "/sign-in/again/"])
    def test_a_failure(self, client: Client, ada: User, page: str) -> None:
        client.post(page, {"username": "ada", "password": "a guess"})
        assert recorded(AuditAction.SIGN_IN_FAILED) == [("", "127.0.0.1", {"account": "ada"})]

    def test_a_name_that_does_not_exist_is_not_kept(self, client: Client, caplog: pytest.LogCaptureFixture) -> None:
        client.post("/sign-in/", {"username": "my-password-by-mistake", "password": "ada"})
        assert recorded(AuditAction.SIGN_IN_FAILED) == [("", "127.0.0.1", {"account": "unknown"})]
        assert "my-password" not in caplog.text

    def test_log_lines_have_the_address(self, client: Client, ada: User, caplog: pytest.LogCaptureFixture) -> None:
        client.post("/sign-in/", {"username": "ada", "password": "a guess"})
        client.post("/sign-in/", {"username": "ada", "password": PASSWORD})
        lines = [record for record in caplog.records if record.name == "accounts.audit"]
        found = [json.loads(LogFormatter("json", []).format(record)) for record in lines[-2:]]
        assert [(line["level"], line["event"], line["address"]) for line in found] == [
            ("warning", "Sign-in failed: unknown (account: ada)", "127.0.0.1"),
            ("info", "Signed in: ada (by: password)", "127.0.0.1"),
        ]
        assert found[1]["user_id"] == ada.pk


class TestKeys:
    def test_making_and_revoking_one(self, client: Client, ada: User, caplog: pytest.LogCaptureFixture) -> None:
        sign_in(client, ada)
        with caplog.at_level(logging.INFO):
            client.post("/account/keys/", {"name": "newsletter"})
            key = ApiKey.objects.get()
            client.post(f"/account/keys/{key.pk}/revoke")
        expected = {"of": "ada", "name": "newsletter", "hint": key.hint}
        both = recorded(AuditAction.KEY_CREATED, AuditAction.KEY_REVOKED)
        assert both == [("ada", "127.0.0.1", expected)] * 2
        assert f"API key revoked: ada (of: ada, name: newsletter, hint: {key.hint})" in caplog.text

    def test_a_key_that_is_revoked_twice_is_recorded_once(self, ada: User) -> None:
        ApiKey.objects.issue(ada, "tests")
        ApiKey.objects.all().revoke()
        ApiKey.objects.all().revoke()
        assert len(recorded(AuditAction.KEY_REVOKED)) == 1


class TestUsers:
    def test_a_changed_password(self, client: Client, ada: User) -> None:
        client.force_login(ada)
        sent = {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW}
        client.post("/account/password/", sent)
        assert recorded(AuditAction.PASSWORD_CHANGED) == [("ada", "127.0.0.1", {"account": "ada"})]

    def test_a_password_that_an_administrator_sets(self, client: Client, admin: User, ada: User) -> None:
        data = {"usable_password": "true", "password1": NEW, "password2": NEW}
        client.post(f"/admin/auth/user/{ada.pk}/password/", data)
        assert recorded(AuditAction.PASSWORD_CHANGED) == [("root", "127.0.0.1", {"account": "ada"})]

    def test_a_renewed_hash_is_no_new_password(self, client: Client, ada: User, settings: Settings) -> None:
        settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher", *settings.PASSWORD_HASHERS]
        client.post("/sign-in/", {"username": "ada", "password": PASSWORD})
        ada.refresh_from_db()
        assert ada.password.startswith("pbkdf2_sha256")
        assert recorded(AuditAction.PASSWORD_CHANGED) == []

    def test_creation_and_deletion(self, client: Client, admin: User) -> None:
        user = User.objects.create_user("grace", password=PASSWORD)
        client.post(f"/admin/auth/user/{user.pk}/delete/", {"post": "yes"})
        created = {"account": f"deleted user {user.pk}", "staff": False, "superuser": False}
        assert recorded(AuditAction.USER_CREATED)[-1][2] == created
        assert recorded(AuditAction.USER_DELETED) == [("root", "127.0.0.1", {"account": f"deleted user {user.pk}"})]

    def test_changed_privileges(self, ada: User) -> None:
        ada.is_staff = True
        ada.save()
        ada.groups.add(Group.objects.get_or_create(name="Editors")[0])
        ada.user_permissions.add(Permission.objects.get(codename="view_article"))
        assert [details for _, _, details in recorded(AuditAction.USER_CHANGED)] == [
            {"account": "ada", "changed": ["is_staff"], "is_staff": True},
            {"account": "ada", "groups": "add", "names": ["Editors"]},
            {"account": "ada", "permissions": "add", "count": 1},
        ]

    def test_entries_outlive_their_user(self, client: Client, ada: User) -> None:
        client.post("/sign-in/", {"username": "ada", "password": PASSWORD})
        ada.delete()
        entry = AuditEntry.objects.get(action=AuditAction.SIGNED_IN)
        assert (entry.user, entry.username) == (None, "ada")


class TestAdministration:
    def test_what_the_admin_changes_is_recorded(self, client: Client, admin: User) -> None:
        client.post("/admin/auth/group/add/", {"name": "Readers"})
        acts = recorded(AuditAction.ADMINISTRATION)
        assert acts == [("root", "127.0.0.1", {"act": "added group", "object": "Readers"})]

    def test_it_can_be_read_and_searched_but_not_changed(self, client: Client, admin: User, ada: User) -> None:
        entry = AuditEntry.objects.create(action=AuditAction.SIGN_IN_FAILED, username="", details={"account": "ada"})
        assert "account: ada" in client.get("/admin/accounts/auditentry/?q=ada").content.decode()
        assert client.get(f"/admin/accounts/auditentry/{entry.pk}/change/").status_code == 200
        assert client.get("/admin/accounts/auditentry/add/").status_code == 403
        assert client.post(f"/admin/accounts/auditentry/{entry.pk}/delete/", {"post": "yes"}).status_code == 403
        client.post(f"/admin/accounts/auditentry/{entry.pk}/change/", {"username": "nobody"})
        entry.refresh_from_db()
        assert entry.username == ""

    def test_staff_need_a_permission_to_read_it(self, client: Client) -> None:
        client.force_login(UserFactory.create(is_staff=True))
        assert client.get("/admin/accounts/auditentry/").status_code == 403


class TestRetention:
    @pytest.fixture(autouse=True)
    def entries(self) -> None:
        for days in (1, 29, 31):
            entry = AuditEntry.objects.create(action=AuditAction.SIGNED_IN, username=f"{days} days")
            AuditEntry.objects.filter(pk=entry.pk).update(at=timezone.now() - timedelta(days=days))

    def test_the_sweeper_deletes_old_entries(self, settings: Settings) -> None:
        settings.AUDIT_DAYS = 30
        assert clean_up()
        assert [entry.username for entry in AuditEntry.objects.all()] == ["1 days", "29 days"]

    def test_zero_keeps_them(self, settings: Settings) -> None:
        settings.AUDIT_DAYS = 0
        assert clean_up()
        assert AuditEntry.objects.count() == 3
