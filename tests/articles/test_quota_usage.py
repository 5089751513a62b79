"""Quotas of sockets over all processes, and what users and administrators see of all quotas."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings
from redis import Redis

from articles.models import Quota
from articles.quotas import sockets
from articles.quotas.totals import issue_key
from articles.quotas.usage import usage_of
from articles.services import NewSource
from tests.articles.test_quotas import document, text
from tests.factories import make_article

pytestmark = pytest.mark.django_db


class TestSockets:
    @pytest.fixture(autouse=True)
    def no_sockets(self) -> None:
        sockets._own.clear()

    def test_processes_count_them_together(self, owner: User, settings: Settings) -> None:
        settings.MAX_SOCKETS_PER_USER = 2
        assert sockets.open_socket(owner.pk, "of process 1") == 0
        sockets._own.clear()
        assert sockets.open_socket(owner.pk, "of process 2") == 0
        assert sockets.open_socket(owner.pk, "too many") == 2
        sockets.close_socket(owner.pk, "of process 2")
        assert sockets.open_socket(owner.pk, "again") == 0

    def test_those_of_a_killed_process_are_forgotten(self, owner: User, redis: Redis, settings: Settings) -> None:
        settings.MAX_SOCKETS_PER_USER = 1
        sockets.open_socket(owner.pk, "killed")
        sockets._own.clear()
        age(redis, owner)
        assert sockets.open_socket(owner.pk, "new") == 0

    def test_a_process_names_its_own_again(self, owner: User, redis: Redis) -> None:
        sockets.open_socket(owner.pk, "alive")
        age(redis, owner)
        sockets.keep_sockets(owner.pk)
        assert sockets.count_sockets(owner.pk) == 1


def age(redis: Redis, user: User) -> None:
    key = sockets.key_of(user.pk)
    for name in redis.zrange(key, 0, -1):
        redis.zincrby(key, -sockets.STALE - 1, name)  # type: ignore[arg-type]  # names are bytes


class TestUsage:
    def test_the_account_page_shows_it(self, page: Client, writer: User, settings: Settings) -> None:
        settings.MAX_SOCKETS_PER_USER = 0
        make_article(writer, sources=(NewSource(upload=document(size=1_500_000)),))
        issue_key(writer, "one")
        shown = re.sub(r"<[^>]+>|\s+", " ", text(page.get("/account/")))
        for line in (
            "Articles waiting or being written 1 of 200",
            "MB stored 2 of 5,000",
            "Documents in a day 1 of 500",
            "MB of documents in a day 2 of 2,000",
            "Live connections 0, no limit",
            "API keys 1 of 50",
        ):
            assert line.replace(" ", "") in shown.replace(" ", ""), line

    def test_administrators_see_it_and_raise_limits(self, browser: Client, owner: User) -> None:
        make_article(owner)
        assert "Articles waiting or being written: 1 of 200" in text(
            browser.get(f"/admin/auth/user/{owner.pk}/change/")
        )
        form = {"user": owner.pk, "active_articles": "7"}
        assert browser.post("/admin/articles/quota/add/", form).status_code == 302
        quota = Quota.objects.get(user=owner)
        assert "1 of 7" in text(browser.get(f"/admin/articles/quota/{quota.pk}/change/"))
        assert str(usage_of(owner)[0]) == "1 of 7"
