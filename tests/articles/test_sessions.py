"""HTMX requests of an ended session, signing in again over a page, and outdated form tokens."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from articles.models import Article, Status
from tests.factories import PASSWORD, UserFactory, make_article, make_completed_article, make_processing_article

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}
AGAIN = "/sign-in/again/"


def open_dialog(client: Client, username: str = "ada") -> Any:
    """The answer to the page that asks for its sign-in dialog."""
    return client.get(AGAIN, {"username": username}, headers=HTMX)


class TestRedirects:
    @pytest.mark.parametrize("method", ["get", "post"])
    def test_htmx_of_an_ended_session_is_refused_instead_of_redirected(self, client: Client, method: str) -> None:
        response = getattr(client, method)("/articles/new/", headers=HTMX)
        assert response.status_code == 401
        assert "Location" not in response
        assert response.content == b""

    def test_the_api_and_plain_pages_are_unaffected(self, client: Client) -> None:
        assert client.get("/articles/new/").status_code == 302
        assert client.get("/api/articles/", headers=HTMX).status_code == 401

    def test_other_redirects_of_htmx_are_for_the_whole_page(self, client: Client, writer: User) -> None:
        client.force_login(writer)
        article, _ = make_processing_article(writer)
        response = client.post(reverse("cancel_run", args=[article.pk]), headers=HTMX)
        assert (response.status_code, response["HX-Redirect"]) == (200, article.get_absolute_url())
        article.refresh_from_db()
        assert article.status == Status.CANCELLED

    def test_a_message_survives_such_a_redirect(self, client: Client, writer: User) -> None:
        client.force_login(writer)
        article = make_completed_article(writer)
        response = client.post(reverse("cancel_run", args=[article.pk]), headers=HTMX)
        assert "nothing to cancel" in client.get(response["HX-Redirect"]).content.decode()


class TestSigningInAgain:
    def test_the_form_is_for_the_user_of_the_page(self, client: Client, writer: User) -> None:
        html = open_dialog(client).content.decode()
        assert 'value="ada"' in html
        assert "readonly" in html
        assert 'name="csrfmiddlewaretoken"' in html

    def test_a_form_sent_before_htmx_has_it_puts_no_password_into_the_address(
        self, client: Client, writer: User
    ) -> None:
        assert f'<form method="post" action="{AGAIN}"' in open_dialog(client).content.decode()

    def test_signing_in_gives_a_new_form_token_that_works(self, writer: User) -> None:
        client = Client(enforce_csrf_checks=True)
        form = open_dialog(client)
        sent = {"username": "ada", "password": PASSWORD, "csrfmiddlewaretoken": form.context["csrf_token"]}
        response = client.post(AGAIN, sent, headers=HTMX)
        assert response.status_code == 204
        token = json.loads(response["HX-Trigger"])["studio:signed-in"]["token"]
        article = make_article(writer)
        assert client.post(reverse("cancel_run", args=[article.pk]), {"csrfmiddlewaretoken": token}).status_code == 302

    def test_a_wrong_password_is_refused_and_not_sent_back(self, client: Client, writer: User) -> None:
        response = client.post(AGAIN, {"username": "ada", "password": "not this"}, headers=HTMX)
        assert response.status_code == 200
        assert "correct username and password" in response.content.decode()
        assert "not this" not in response.content.decode()
        assert client.get("/").status_code == 302

    def test_a_user_who_is_signed_in_gets_a_token_without_a_password(self, client: Client, writer: User) -> None:
        client.force_login(writer)
        assert open_dialog(client).status_code == 204

    def test_another_user_who_is_signed_in_gets_the_form(self, client: Client, writer: User) -> None:
        client.force_login(UserFactory.create(username="grace"))
        response = open_dialog(client)
        assert response.status_code == 200
        assert 'value="ada"' in response.content.decode()

    def test_a_hostile_username_is_escaped(self, client: Client) -> None:
        html = open_dialog(client, '"><script>').content.decode()
        assert "<script>" not in html


class TestOutdatedFormTokens:
    def test_htmx_gets_an_event_for_an_outdated_token(self, writer: User) -> None:
        client = Client(enforce_csrf_checks=True)
        client.force_login(writer)
        response = client.post("/articles/new/", headers=HTMX)
        assert (response.status_code, response["Studio-Form-Expired"]) == (403, "true")
        assert not Article.objects.exists()

    def test_a_plain_form_gets_the_page_alone(self, writer: User) -> None:
        client = Client(enforce_csrf_checks=True)
        client.force_login(writer)
        response = client.post("/articles/new/")
        assert response.status_code == 403
        assert "Studio-Form-Expired" not in response
        assert "This page has expired" in response.content.decode()
