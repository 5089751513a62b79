"""API keys in the admin: shown once, created for oneself, revoked."""

from __future__ import annotations

import re
from typing import Any

from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from articles.models import ApiKey
from tests.articles.admin_pages import messages_on
from tests.factories import (
    UserFactory,
)
from tests.signed_in import sign_in


class TestKeys:
    def add(self, browser: Client, user: User) -> Any:
        return browser.post(reverse("admin:articles_apikey_add"), {"user": user.pk, "name": "Script"}, follow=True)

    def test_a_new_key_is_shown_once_and_stored_as_a_hash(self, browser: Client, owner: User) -> None:
        shown = messages_on(self.add(browser, owner))[0]
        found = re.search(r"cs_[\w-]+", shown)
        assert found is not None
        key = ApiKey.objects.match(found[0])
        assert key is not None
        assert (key.user, key.name) == (owner, "Script")
        assert ApiKey.objects.count() == 1
        assert found[0] not in browser.get(reverse("admin:articles_apikey_changelist")).content.decode()

    def test_only_its_name_can_be_changed(self, browser: Client, owner: User, admin: User) -> None:
        row, key = ApiKey.objects.issue(owner, "Script")
        changed = {"name": "Newsletter", "user": admin.pk, "key_hash": "0", "hint": "x"}
        browser.post(reverse("admin:articles_apikey_change", args=[row.pk]), changed)
        found = ApiKey.objects.match(key)
        assert found is not None
        assert (found.name, found.user, found.hint) == ("Newsletter", owner, row.hint)

    def test_a_revoked_key_is_refused(self, browser: Client, owner: User) -> None:
        row, key = ApiKey.objects.issue(owner, "Script")
        chosen = {"action": "revoke", "_selected_action": row.pk}
        response = browser.post(reverse("admin:articles_apikey_changelist"), chosen, follow=True)
        assert messages_on(response)[0].startswith("1 key was revoked.")
        assert ApiKey.objects.match(key) is None

    def test_staff_create_keys_for_themselves_only(self, client: Client, admin: User) -> None:
        staff = UserFactory.create(is_staff=True)
        staff.user_permissions.set(Permission.objects.filter(codename__in=["add_apikey", "view_apikey"]))
        sign_in(client, staff)
        assert "Select a valid choice" in self.add(client, admin).content.decode()
        self.add(client, staff)
        assert [key.user for key in ApiKey.objects.all()] == [staff]
