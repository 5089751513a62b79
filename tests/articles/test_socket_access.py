"""Who may open a socket, from which origin, and how others are refused."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import pytest
from django.contrib.auth.models import User
from django.test import Client

from articles.models import ApiKey
from tests.articles.clients import done, open_socket
from tests.factories import UserFactory, make_article

pytestmark = pytest.mark.django_db(transaction=True)


async def refused(site: str, path: str, key: str = "", **headers: str) -> tuple[str, int | None]:
    async with open_socket(site, path, key, **headers) as line:
        (error,) = await line.rest()
        assert error["type"] == "error"
        return error["detail"], line.ws.close_code


@pytest.mark.parametrize("last", ["", "/", "/page", "/page/"])
async def test_it_hides_missing_articles_and_those_of_other_users(site: str, key: str, last: str) -> None:
    other = await done(make_article, await done(UserFactory.create))
    for id in (other.pk, 99999999, "9" * 18):
        detail, code = await refused(site, f"/ws/articles/{id}{last}", key)
        assert (detail, code) == (f"There is no article {id} that you may see.", 4404)


async def test_it_refuses_a_wrong_key_with_instructions(site: str, owner: User) -> None:
    article = await done(make_article, owner)
    detail, code = await refused(site, f"/ws/articles/{article.pk}", "cs_wrong")
    assert code == 4401
    assert "Authorization: Bearer" in detail


@pytest.mark.parametrize("after", ["x", "-1", "1.5", "9" * 19, "٣"])
async def test_it_refuses_an_invalid_number(site: str, owner: User, key: str, after: str) -> None:
    article = await done(make_article, owner)
    detail, code = await refused(site, f"/ws/articles/{article.pk}?after={after}", key)
    assert code == 4400
    assert "?after=41" in detail


@pytest.mark.parametrize("path", ["/ws/", "/ws/articles/abc", f"/ws/articles/{'9' * 40}", "/anything"])
async def test_other_addresses_are_refused(site: str, key: str, path: str) -> None:
    detail, code = await refused(site, path, key)
    assert code == 4404
    assert "/ws/articles/<id>" in detail


def cookie_of(user: User) -> str:
    client = Client()
    client.force_login(user)
    return f"sessionid={client.cookies['sessionid'].value}"


async def test_a_session_is_accepted_from_the_own_origin_only(site: str, owner: User) -> None:
    article = await done(make_article, owner)
    path, cookie = f"/ws/articles/{article.pk}", await done(cookie_of, owner)
    async with open_socket(site, path, Cookie=cookie, Origin=site) as line:
        assert (await line.next())["type"] == "status"
    port = int(site.rpartition(":")[2])
    another_port, another_scheme = site.replace(str(port), str(port + 1)), site.replace("http:", "https:")
    for foreign in (
        "https://evil.example",
        "null",
        another_port,
        another_scheme,
        f"http://localhost:{port}",
    ):
        assert await status_of_refusal(site, path, Cookie=cookie, Origin=foreign) == 403, foreign
    assert await status_of_refusal(site, path, Cookie=cookie) == 403
    foreign_host = {"Host": "evil.example", "Origin": "http://evil.example"}
    assert await status_of_refusal(site, path, Cookie=cookie, **foreign_host) == 403


async def status_of_refusal(site: str, path: str, **headers: str) -> int:
    with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
        async with open_socket(site, path, **headers):
            pass
    return refusal.value.status


async def test_a_session_is_accepted_from_trusted_origins_and_through_a_proxy(
    site: str, owner: User, settings: Any
) -> None:
    settings.CSRF_TRUSTED_ORIGINS = ["https://studio.example", "https://*.example.org"]
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    article = await done(make_article, owner)
    path, cookie = f"/ws/articles/{article.pk}", await done(cookie_of, owner)
    by_proxy = {"X-Forwarded-Proto": "https", "Origin": site.replace("http:", "https:")}
    for accepted in ({"Origin": "https://studio.example"}, {"Origin": "https://a.example.org"}, by_proxy):
        async with open_socket(site, path, Cookie=cookie, **accepted) as line:
            assert (await line.next())["type"] == "status"
    for foreign in ("http://studio.example", "http://a.example.org", "https://example.org.evil.example"):
        assert await status_of_refusal(site, path, Cookie=cookie, Origin=foreign) == 403


async def test_an_anonymous_client_is_refused(site: str, owner: User) -> None:
    article = await done(make_article, owner)
    _, code = await refused(site, f"/ws/articles/{article.pk}", Origin=site)
    assert code == 4401


async def test_a_key_is_accepted_from_any_origin(site: str, owner: User, key: str) -> None:
    article = await done(make_article, owner)
    async with open_socket(site, f"/ws/articles/{article.pk}", key, Origin="https://tools.example") as line:
        assert (await line.next())["type"] == "status"


async def test_sockets_of_one_user_are_limited_and_given_back(site: str, owner: User, key: str, settings: Any) -> None:
    settings.MAX_SOCKETS_PER_USER = 2
    article, other = await done(make_article, owner), await done(UserFactory.create)
    path = f"/ws/articles/{article.pk}"
    for _ in range(2):
        async with open_socket(site, path, key) as first, open_socket(site, path, key) as second:
            await first.next()
            await second.next()
            detail, code = await refused(site, path, key)
            assert (detail, code) == ("You have 2 live connections open. Close some, then try again.", 4429)
            _, others_key = await done(ApiKey.objects.issue, other, "tests")
            async with open_socket(site, f"/ws/articles/{(await done(make_article, other)).pk}", others_key) as third:
                assert (await third.next())["type"] == "status"
        await asyncio.sleep(0.3)


# Without Redis


async def test_without_redis_a_client_is_closed_with_try_again_later(
    site: str, owner: User, key: str, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    article = await done(make_article, owner)
    layer = settings.CHANNEL_LAYERS["default"]
    settings.CHANNEL_LAYERS = {"default": {**layer, "CONFIG": {"hosts": ["redis://127.0.0.1:1"]}}}
    async with open_socket(site, f"/ws/articles/{article.pk}", key) as line:
        closing = await line.ws.receive(5)
        assert (closing.type, line.ws.close_code) == (aiohttp.WSMsgType.CLOSE, 1013)
    assert "Redis is unavailable" in caplog.text
