"""Users in the admin: deleting them with their articles, and who may grant privileges."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client
from django.urls import reverse

from articles.models import ApiKey, Article
from tests.factories import StaffFactory, UserFactory, make_completed_article, make_processing_article

pytestmark = pytest.mark.django_db


@pytest.fixture
def picture(owner: User) -> str:
    """The name of a picture of one of the owner's two articles; the other is being written."""
    make_processing_article(owner)
    ApiKey.objects.issue(owner, "Script")
    return default_storage.save(f"covers/{make_completed_article(owner).pk}/a.png", ContentFile(b"png"))


@pytest.mark.parametrize("several", [False, True])
def test_deleting_a_user_deletes_their_articles(
    client: Client, owner: User, picture: str, several: bool, django_capture_on_commit_callbacks: Any
) -> None:
    client.force_login(StaffFactory.create())
    address = reverse("admin:auth_user_changelist") if several else reverse("admin:auth_user_delete", args=[owner.pk])
    chosen = {"action": "delete_selected", "_selected_action": owner.pk} if several else {}
    asked = client.post(address, chosen) if several else client.get(address)
    assert "Articles: 2" in asked.content.decode()
    with django_capture_on_commit_callbacks(execute=True):
        client.post(address, {**chosen, "post": "yes"})
    assert not User.objects.filter(pk=owner.pk).exists()
    assert not Article.objects.exists()
    assert not default_storage.exists(picture)


def test_deleting_a_writer_needs_the_permission_to_delete_articles(client: Client, owner: User, picture: str) -> None:
    clerk = UserFactory.create(is_staff=True)
    clerk.user_permissions.set(Permission.objects.filter(codename__in=["view_user", "delete_user"]))
    client.force_login(clerk)
    assert client.post(reverse("admin:auth_user_delete", args=[owner.pk]), {"post": "yes"}).status_code == 403
    assert Article.objects.count() == 2


# Privileges


@pytest.fixture
def manager() -> User:
    """Staff who may manage users, and nothing else."""
    return staff_with("view_user", "add_user", "change_user", "delete_user")


def staff_with(*codenames: str) -> User:
    user = UserFactory.create(is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    return user


def change(client: Client, user: User, **fields: Any) -> int:
    form = {
        "username": user.username,
        "email": "new@example.com",
        "date_joined_0": "2026-01-01",
        "date_joined_1": "00:00:00",
        "is_active": "on",
    }
    return client.post(reverse("admin:auth_user_change", args=[user.pk]), form | fields).status_code


def test_staff_cannot_grant_privileges(client: Client, owner: User, manager: User) -> None:
    client.force_login(manager)
    group = Group.objects.create(name="Chiefs")
    everything = list(Permission.objects.values_list("pk", flat=True)[:50])
    assert change(client, owner, is_superuser="on", groups=[group.pk], user_permissions=everything) == 302
    owner = User.objects.get(pk=owner.pk)
    assert owner.email == "new@example.com", "the change itself was saved"
    assert (owner.is_superuser, owner.groups.count(), owner.user_permissions.count()) == (False, 0, 0)


def test_staff_cannot_add_a_superuser(client: Client, manager: User) -> None:
    client.force_login(manager)
    password = "a long enough passphrase"
    form = {
        "username": "evilroot",
        "usable_password": "true",
        "password1": password,
        "password2": password,
        "is_superuser": "on",
    }
    client.post(reverse("admin:auth_user_add"), form)
    assert not User.objects.get(username="evilroot").is_superuser


@pytest.mark.parametrize("page", ["admin:auth_user_change", "admin:auth_user_password_change"])
def test_staff_cannot_change_users_with_more_permissions(client: Client, manager: User, page: str) -> None:
    client.force_login(manager)
    form = {"password1": "a long enough passphrase", "password2": "a long enough passphrase", "username": "taken-over"}
    for user in (StaffFactory.create(), staff_with("delete_article")):
        before = user.password
        assert client.post(reverse(page, args=[user.pk]), form).status_code == 403
        user.refresh_from_db()
        assert (user.password, user.username == "taken-over") == (before, False)


@pytest.mark.parametrize("several", [False, True])
def test_staff_cannot_delete_users_with_more_permissions(client: Client, manager: User, several: bool) -> None:
    client.force_login(manager)
    superuser = StaffFactory.create()
    address = (
        reverse("admin:auth_user_changelist") if several else reverse("admin:auth_user_delete", args=[superuser.pk])
    )
    client.post(address, {"action": "delete_selected", "_selected_action": superuser.pk, "post": "yes"})
    assert User.objects.filter(pk=superuser.pk).exists()


def test_a_superuser_grants_privileges(client: Client, owner: User) -> None:
    client.force_login(StaffFactory.create())
    assert change(client, owner, is_superuser="on") == 302
    assert User.objects.get(pk=owner.pk).is_superuser
