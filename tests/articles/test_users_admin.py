"""Users in the administration: whose articles are deleted with them as if it were done one by one."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client
from django.urls import reverse

from articles.models import ApiKey, Article
from tests.factories import StaffFactory, UserFactory, make_completed_article, make_processing_article


@pytest.fixture
def picture(owner: User) -> str:
    """The name of a picture of one of the owner's two articles; the other is being written."""
    make_processing_article(owner)
    ApiKey.objects.issue(owner, "Script")
    return default_storage.save(f"covers/{make_completed_article(owner).pk}/a.png", ContentFile(b"png"))


@pytest.mark.parametrize("several", [False, True])
def test_a_users_articles_go_with_them(
    client: Client, owner: User, picture: str, several: bool, django_capture_on_commit_callbacks: Any
) -> None:
    client.force_login(StaffFactory())
    address = reverse("admin:auth_user_changelist") if several else reverse("admin:auth_user_delete", args=[owner.pk])
    chosen = {"action": "delete_selected", "_selected_action": owner.pk} if several else {}
    asked = client.post(address, chosen) if several else client.get(address)
    assert "Articles: 2" in asked.content.decode()
    with django_capture_on_commit_callbacks(execute=True):
        client.post(address, {**chosen, "post": "yes"})
    assert not User.objects.filter(pk=owner.pk).exists()
    assert not Article.objects.exists()
    assert not default_storage.exists(picture)


def test_who_may_not_delete_articles_deletes_no_writer(client: Client, owner: User, picture: str) -> None:
    clerk = UserFactory.create(is_staff=True)
    clerk.user_permissions.set(Permission.objects.filter(codename__in=["view_user", "delete_user"]))
    client.force_login(clerk)
    assert client.post(reverse("admin:auth_user_delete", args=[owner.pk]), {"post": "yes"}).status_code == 403
    assert Article.objects.count() == 2
