"""When the OpenID Connect provider or Redis is away, and what counts as local sign-in."""

from __future__ import annotations

from typing import Any

import pytest
from allauth.account.internal.flows.login import record_authentication
from allauth.core.context import request_context
from django.contrib.auth.models import AnonymousUser, User
from django.contrib.sessions.backends.db import SessionStore
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.test import Client, RequestFactory
from pytest_django import Settings
from redis import Redis

from accounts import oidc
from accounts.adapters import AccountAdapter
from contentstudio.access.cache import FailOpenCache
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db
NOWHERE = "http://127.0.0.1:9"  # the port of “discard”, where nothing listens


@pytest.fixture
def provider(settings: Settings) -> None:
    settings.OIDC_ISSUER = NOWHERE
    app = {"provider_id": "oidc", "name": "x", "client_id": "x", "secret": "x", "settings": {"server_url": NOWHERE}}
    settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"OAUTH_PKCE_ENABLED": True, "APPS": [app]}}


class TestTheProvider:
    def test_if_it_is_down_a_page_says_so(self, client: Client, provider: None) -> None:
        response = client.get("/sign-in/oidc/start/")
        assert response.status_code == 503
        assert "did not confirm who you are" in response.content.decode()

    def test_a_forged_answer_signs_nobody_in(self, client: Client, provider: None) -> None:
        response = client.get("/sign-in/oidc/callback/", {"code": "stolen", "state": "forged"})
        assert "did not confirm who you are" in response.content.decode()
        assert client.get("/").status_code == 302

    def test_without_one_its_pages_do_not_exist(self, client: Client) -> None:
        assert client.get("/sign-in/oidc/start/").status_code == 404
        assert "/sign-in/oidc/" not in client.get("/sign-in/").content.decode()

    @pytest.mark.parametrize(
        ("claims", "expected"),
        [
            ({"userinfo": {"groups": ["a", "b"]}}, {"a", "b"}),
            ({"userinfo": {"groups": "a"}}, {"a"}),
            ({"userinfo": {}, "id_token": {"groups": ["c"]}}, {"c"}),
            ({"userinfo": {"groups": []}, "id_token": {"groups": ["c"]}}, set()),
            ({}, set()),
        ],
    )
    def test_groups_are_read_from_the_claims(self, claims: dict[str, Any], expected: set[str]) -> None:
        assert oidc.groups_in(claims) == expected

    def test_roles_are_left_alone_without_a_rule(self, settings: Settings) -> None:
        user = UserFactory.create(is_staff=True, is_superuser=True)
        oidc.update_roles(user, {"userinfo": {"groups": []}})
        user.refresh_from_db()
        assert (user.is_staff, user.is_superuser) == (True, True)


class TestLocalSignIn:
    def enter(self, user: User, method: str) -> None:
        """What happens after a passkey or the provider has told who it is."""
        request: HttpRequest = RequestFactory().get("/")
        request.session, request.user = SessionStore(), AnonymousUser()
        with request_context(request):
            record_authentication(request, user, method=method)
            options = dict.fromkeys(("signal_kwargs", "email", "redirect_url"))
            AccountAdapter().pre_login(request, user, email_verification="none", signup=False, **options)

    def test_a_passkey_is_refused_if_only_the_provider_counts(self, settings: Settings) -> None:
        settings.LOCAL_LOGIN, settings.BREAK_GLASS_USERS = False, ["root"]
        with pytest.raises(PermissionDenied, match="Passkeys are not accepted"):
            self.enter(UserFactory.create(), "mfa")
        self.enter(UserFactory.create(), "socialaccount")
        self.enter(UserFactory.create(username="root"), "mfa")

    def test_it_is_accepted_otherwise(self) -> None:
        self.enter(UserFactory.create(), "mfa")


class TestTheCache:
    def test_it_keeps_what_limits_need(self) -> None:
        cache.set("a", [1.5, 2.5], 10)
        assert cache.get("a") == [1.5, 2.5]
        assert not cache.add("a", True, 10)
        cache.delete("a")
        assert cache.get("a") is None

    def test_its_values_are_no_code(self, redis: Redis) -> None:
        cache.set("a", [1], 10)
        assert redis.get("studio:cache:1:a") == b"[1]"

    def test_without_redis_it_is_empty_and_open(self, caplog: pytest.LogCaptureFixture) -> None:
        away = FailOpenCache("unix:///nonexistent/redis.sock", {})
        away.set("a", 1)
        assert away.get("a", 7) == 7
        assert away.add("lock", True)
        assert not away.delete("a")
        assert "Redis does not answer" in caplog.text
