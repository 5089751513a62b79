"""A socket is closed once its key, session or permission is gone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.contrib.auth.models import Permission, User
from django.test import Client
from pytest_django import Settings

from articles.live import consumers
from articles.models import ApiKey
from tests.articles.clients import done, open_socket
from tests.factories import StaffFactory, make_processing_article

pytestmark = pytest.mark.django_db(transaction=True)


async def test_a_socket_whose_key_is_revoked_is_closed(
    site: str, owner: User, key: str, frequent_polling: None
) -> None:
    article, _ = await done(make_processing_article, owner)
    async with open_socket(site, f"/ws/articles/{article.pk}?after={article.last_seq}", key) as line:
        await line.next()
        await done(ApiKey.objects.filter(user=owner).revoke)
        (error,) = await line.rest()
        assert (error["type"], line.ws.close_code) == ("error", 4401)
        assert "manage.py apikey" in error["detail"]


def deactivate(user: User, client: Client) -> None:
    user.is_active = False
    user.save(update_fields=["is_active"])


def sign_out(user: User, client: Client) -> None:
    client.logout()


def change_password(user: User, client: Client) -> None:
    user.set_password("another horse, another staple")
    user.save(update_fields=["password"])


@pytest.mark.parametrize("change", [deactivate, sign_out, change_password])
async def test_a_socket_whose_session_ended_is_closed(
    site: str, owner: User, frequent_polling: None, change: Callable[[User, Client], None]
) -> None:
    article, _ = await done(make_processing_article, owner)
    client = Client()
    await done(client.force_login, owner)
    headers = {"Cookie": f"sessionid={client.cookies['sessionid'].value}", "Origin": site}
    async with open_socket(site, f"/ws/articles/{article.pk}?after={article.last_seq}", **headers) as line:
        await line.next()
        await line.silent(1)  # looked at several times, and let be
        await done(change, owner, client)
        (error,) = await line.rest()
        assert (error["type"], line.ws.close_code) == ("error", 4401)


async def test_losing_the_permission_closes_the_socket(site: str, owner: User, frequent_polling: None) -> None:
    article, _ = await done(make_processing_article, owner)
    editor = await done(StaffFactory.create, is_superuser=False)
    permission = await done(Permission.objects.get, codename="view_article")
    await done(editor.user_permissions.add, permission)
    _, key = await done(ApiKey.objects.issue, editor, "tests")
    async with open_socket(site, f"/ws/articles/{article.pk}?after={article.last_seq}", key) as line:
        await line.next()
        await done(editor.user_permissions.clear)
        (error,) = await line.rest()
        assert (error["detail"], line.ws.close_code) == (f"There is no article {article.pk} that you may see.", 4404)


async def test_access_checks_of_the_same_key_are_coalesced(
    site: str, owner: User, key: str, frequent_polling: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumers, "POLL_PHASES", 1)
    real, asked = consumers.is_hidden, []

    def counted(user: User, article_id: int) -> bool:
        asked.append(article_id)
        return real(user, article_id)

    monkeypatch.setattr(consumers, "is_hidden", counted)
    article, _ = await done(make_processing_article, owner)
    async with asyncio.TaskGroup() as watchers, asyncio.timeout(20):

        async def watch() -> None:
            async with open_socket(site, f"/ws/articles/{article.pk}?after={article.last_seq}", key) as line:
                await line.next()
                await line.silent(1.5)

        for _ in range(20):
            watchers.create_task(watch())
    assert 3 <= len(asked) <= 30  # alone, each of the twenty would have asked four times


async def test_a_socket_whose_user_has_to_set_up_a_second_factor_is_closed(
    site: str, owner: User, frequent_polling: None, settings: Settings
) -> None:
    article, _ = await done(make_processing_article, owner)
    client = Client()
    await done(client.force_login, owner)
    headers = {"Cookie": f"sessionid={client.cookies['sessionid'].value}", "Origin": site}
    path = f"/ws/articles/{article.pk}?after={article.last_seq}"
    async with open_socket(site, path, **headers) as line:
        await line.next()
        settings.REQUIRE_TWO_FACTOR = "all"
        (error,) = await line.rest()
        assert (error["type"], line.ws.close_code) == ("error", 4401)
    async with open_socket(site, path, **headers) as line:
        await line.rest()
        assert line.ws.close_code == 4401
    await done(TOTP.activate, owner, generate_totp_secret())
    async with open_socket(site, path, **headers) as line:
        assert (await line.next())["type"] == "status"
