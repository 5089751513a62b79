"""The permission groups a new studio comes with, and what their members may do."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group, User
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from articles.models import Article
from articles.permission_groups import GROUPS
from tests.factories import StaffFactory, UserFactory, make_completed_article

pytestmark = pytest.mark.django_db


def member(group: str) -> User:
    user = UserFactory.create(is_staff=True)
    user.groups.add(Group.objects.get(name=group))
    return user


def test_a_new_database_has_the_groups_with_all_their_permissions() -> None:
    found = {group.name: set(group.permissions.values_list("codename", flat=True)) for group in Group.objects.all()}
    assert found == {name: set(codenames) for name, codenames in GROUPS.items()}


def test_a_migration_leaves_changed_and_removed_groups_as_they_are() -> None:
    Group.objects.get(name="Editors").delete()
    chiefs = Group.objects.get(name="Chief editors")
    chiefs.permissions.clear()
    call_command("migrate", verbosity=0)
    assert list(Group.objects.all()) == [chiefs]
    assert not chiefs.permissions.exists()


def test_an_editor_reads_and_changes_articles_of_others_and_no_limits(client: Client, owner: User) -> None:
    article = make_completed_article(owner)
    editor = member("Editors")
    client.force_login(editor)
    assert list(Article.objects.visible_to(editor)) == [article]
    assert article.allows(editor, "change")
    for page, status in (
        ("admin:articles_article_changelist", 200),
        ("admin:articles_voice_add", 200),
        ("admin:articles_spendinglimit_changelist", 403),
        ("admin:articles_agentprofile_changelist", 403),
        ("admin:auth_user_changelist", 403),
    ):
        assert client.get(reverse(page)).status_code == status, page


def test_a_chief_editor_also_manages_limits_agents_and_users(client: Client) -> None:
    client.force_login(member("Chief editors"))
    for page in ("spendinglimit_add", "spendinglimit_changelist", "agentprofile_changelist", "run_changelist"):
        assert client.get(reverse(f"admin:articles_{page}")).status_code == 200, page
    assert client.get(reverse("admin:auth_user_add")).status_code == 200
    assert client.get(reverse("admin:auth_user_change", args=[StaffFactory.create().pk])).status_code == 200
    assert client.post(reverse("admin:auth_user_change", args=[StaffFactory.create().pk])).status_code == 403


def test_the_user_page_says_that_members_need_staff_status(client: Client, owner: User) -> None:
    client.force_login(StaffFactory.create())
    page = client.get(reverse("admin:auth_user_change", args=[owner.pk])).content.decode()
    assert "also need “Staff status”" in page
