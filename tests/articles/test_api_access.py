"""Endpoints of the API called by another user, anonymously, by staff, and with a session."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from articles.models import ApiKey, Article
from tests.articles.clients import client_of, post
from tests.factories import StaffFactory, UserFactory, make_article, make_completed_article

pytestmark = pytest.mark.django_db

ROWS = [
    ("get", ""),
    ("get", "/status"),
    ("get", "/result"),
    ("get", "/events"),
    ("get", "/export/md"),
    ("get", "/sources"),
    ("get", "/revisions"),
    ("get", "/revisions/1"),
    ("get", "/revisions/1/compare/1"),
    ("post", "/revisions/1/restore"),
    ("patch", "/revisions/1"),
    ("post", "/cancel"),
    ("post", "/retry"),
    ("post", "/keep"),
    ("post", "/write-again"),
    ("patch", ""),
    ("delete", ""),
]


BODIES: dict[tuple[str, str], dict[str, object]] = {
    ("patch", ""): {"content": "Mine now", "revision": 1},
    ("patch", "revisions/1"): {"name": "Mine"},
    ("post", "revisions/1/restore"): {"revision": 1},
}


def ask(client: Client, method: str, path: str) -> Any:
    body = BODIES.get((method, path.rpartition("/articles/")[2].partition("/")[2]), {})
    return getattr(client, method)(path, body, **({} if method == "get" else {"content_type": "application/json"}))


@pytest.mark.parametrize(("method", "row"), ROWS)
def test_it_hides_another_users_article(owner: User, method: str, row: str) -> None:
    article = make_completed_article(owner)
    response = ask(client_of(UserFactory.create()), method, f"/api/articles/{article.pk}{row}")
    assert response.status_code == 404
    assert response.json().keys() == {"detail"}
    assert Article.objects.get(pk=article.pk).content == article.content


@pytest.mark.parametrize(("method", "row"), [*ROWS, ("get", "active"), ("get", "list"), ("post", "create")])
def test_an_anonymous_request_is_refused_with_instructions(owner: User, method: str, row: str) -> None:
    article = make_completed_article(owner)
    paths = {"active": "/api/articles/active/tasks", "list": "/api/articles/", "create": "/api/articles/create"}
    response = ask(Client(), method, paths.get(row, f"/api/articles/{article.pk}{row}"))
    assert response.status_code == 401
    assert response["WWW-Authenticate"] == "Bearer"
    assert "Authorization: Bearer" in response.json()["detail"]


def test_only_staff_with_the_permission_see_all_articles(owner: User) -> None:
    article = make_article(owner)
    assert client_of(StaffFactory.create()).get(f"/api/articles/{article.pk}").status_code == 200
    clerk = UserFactory.create(is_staff=True)
    assert client_of(clerk).get(f"/api/articles/{article.pk}").status_code == 404
    clerk.user_permissions.add(Permission.objects.get(codename="view_article"))
    assert client_of(clerk).get(f"/api/articles/{article.pk}").status_code == 200


@pytest.mark.parametrize(("method", "row"), [row for row in ROWS if row[0] != "get"])
def test_staff_with_read_permission_cannot_change_anything(owner: User, method: str, row: str) -> None:
    article = make_completed_article(owner)
    reader = UserFactory.create(is_staff=True)
    reader.user_permissions.add(Permission.objects.get(codename="view_article"))
    response = ask(client_of(reader), method, f"/api/articles/{article.pk}{row}")
    assert response.status_code == 403
    assert "belongs to another user" in response.json()["detail"]
    assert Article.objects.get(pk=article.pk).content == article.content


def test_a_wrong_or_revoked_key_is_refused_even_with_a_session(owner: User) -> None:
    row, key = ApiKey.objects.issue(owner, "old")
    client = Client()
    client.force_login(owner)
    for header in ("Bearer cs_wrong", "Bearer ", f"Bearer {key}x"):
        response = client.get("/api/articles/", headers={"Authorization": header})
        assert response.status_code == 401
        assert "Invalid, expired or revoked API key" in response.json()["detail"]
    ApiKey.objects.filter(pk=row.pk).revoke()
    assert client.get("/api/articles/", headers={"Authorization": f"Bearer {key}"}).status_code == 401


def test_the_key_of_an_inactive_user_is_refused(owner: User, api: Client) -> None:
    owner.is_active = False
    owner.save()
    assert api.get("/api/articles/").status_code == 401


def test_a_session_reads_and_needs_the_csrf_token_to_write(owner: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(owner)
    assert client.get("/api/articles/").status_code == 200
    refused = post(client, "/api/articles/create", {"topic": "Rooftops"})
    assert refused.status_code == 403
    assert "X-CSRFToken" in refused.json()["detail"]
    token = client.cookies["csrftoken"] = "a" * 32
    made = client.post(
        "/api/articles/create", {"topic": "Rooftops"}, content_type="application/json", headers={"X-CSRFToken": token}
    )
    assert made.status_code == 201


def test_a_key_needs_no_csrf_token(owner: User) -> None:
    client = Client(enforce_csrf_checks=True)
    _, key = ApiKey.objects.issue(owner, "tests")
    response = client.post(
        "/api/articles/create",
        {"topic": "Rooftops"},
        content_type="application/json",
        headers={"Authorization": f"bearer {key}"},
    )
    assert response.status_code == 201
