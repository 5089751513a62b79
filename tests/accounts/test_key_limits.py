"""API keys that expire, or may only read."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from articles.models import ApiKey, Article
from articles.models import api_key as api_key_module
from tests.factories import StaffFactory, UserFactory
from tests.signed_in import sign_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada() -> User:
    return UserFactory.create(username="ada")


def api(key: str) -> Client:
    return Client(headers={"Authorization": f"Bearer {key}"})


def test_an_expired_key_is_refused(ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api_key_module, "CACHE_SECONDS", 0.0)
    row, key = ApiKey.objects.issue(ada, "newsletter", days=30)
    assert api(key).get("/api/articles/").status_code == 200
    ApiKey.objects.filter(pk=row.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    response = api(key).get("/api/articles/")
    assert response.status_code == 401
    assert "expired" in response.json()["detail"]


def test_a_key_without_an_end_works_on(ada: User) -> None:
    row, key = ApiKey.objects.issue(ada, "newsletter")
    assert row.expires_at is None
    assert api(key).get("/api/articles/").status_code == 200


def test_a_key_that_may_only_read_changes_nothing(ada: User) -> None:
    _, key = ApiKey.objects.issue(ada, "dashboard", read_only=True)
    client = api(key)
    for _ in range(2):  # also once it is cached
        assert client.get("/api/articles/").status_code == 200
        response = client.post("/api/articles/create", {"topic": "Roofs of our city"}, content_type="application/json")
        assert response.status_code == 403
        assert "may only read" in response.json()["detail"]
    assert not Article.objects.exists()


def test_both_are_chosen_on_the_page(client: Client, ada: User) -> None:
    sign_in(client, ada)
    client.post("/account/keys/", {"name": "dashboard", "days": "90", "read_only": "on"})
    key = ApiKey.objects.get()
    assert key.read_only
    assert key.expires_at is not None
    assert timedelta(days=89) < key.expires_at - timezone.now() <= timedelta(days=90)
    page = client.get("/account/keys/").content.decode()
    assert "read only" in page
    assert "months" in page.split("dashboard")[1]
    client.post("/account/keys/", {"name": "for ever", "days": ""})
    assert ApiKey.objects.get(name="for ever").expires_at is None


def test_an_administrator_sets_them_once(client: Client) -> None:
    admin = StaffFactory.create()
    sign_in(client, admin)
    end = timezone.now() + timedelta(days=7)
    data = {"user": admin.pk, "name": "script", "read_only": "on"}
    data |= {"expires_at_0": f"{end:%Y-%m-%d}", "expires_at_1": f"{end:%H:%M:%S}"}
    client.post("/admin/articles/apikey/add/", data)
    key = ApiKey.objects.get()
    assert key.read_only
    assert key.expires_at is not None
    assert abs(key.expires_at - end) < timedelta(seconds=1)


def test_the_command_makes_such_keys(ada: User) -> None:
    call_command("apikey", "ada", "--days", "7", "--read-only", stdout=StringIO())
    key = ApiKey.objects.get()
    assert key.read_only
    assert key.expires_at is not None
    with pytest.raises(CommandError, match="at least 1"):
        call_command("apikey", "ada", "--days", "0")
