"""The socket of the editor: who edits the text, where, and that it was saved."""

from __future__ import annotations

import json

import pytest
from django.contrib.auth.models import User

from articles.models import ApiKey
from articles.services import save_text
from tests.articles.clients import done, open_socket
from tests.factories import StaffFactory, UserFactory, make_completed_article

pytestmark = pytest.mark.django_db(transaction=True)


def key_of(user: User) -> str:
    return ApiKey.objects.issue(user, "tests")[1]


async def test_editors_learn_where_the_others_are(site: str, owner: User, key: str) -> None:
    article = await done(make_completed_article, owner)
    path = f"/ws/articles/{article.pk}/editors"
    grace = await done(StaffFactory.create, username="grace")
    async with open_socket(site, path, key) as first, open_socket(site, path, await done(key_of, grace)) as second:
        await first.next()
        await second.next()
        await first.ws.send_str(json.dumps({"section": "Choosing a site"}))
        told = await second.next()
        assert (told["type"], told["name"], told["section"]) == ("editor", owner.username, "Choosing a site")
        await second.ws.send_str(json.dumps({"section": "x" * 500}))
        told = await first.next()
        assert (told["name"], told["section"]) == ("grace", "x" * 200)
        again = await second.next()  # the newcomer had asked
        assert again["section"] == "Choosing a site"
        await second.ws.close()
        left = await first.next()
        assert (left["type"], left["editor"]) == ("left", told["editor"])


async def test_a_saved_revision_is_told(site: str, owner: User, key: str) -> None:
    article = await done(make_completed_article, owner)
    async with open_socket(site, f"/ws/articles/{article.pk}/editors", key) as line:
        at_first = await line.next()
        assert (at_first["type"], at_first["revision"], at_first["author"]) == ("saved", 1, "The crew")
        await done(save_text, article=article, by=owner, title="T", content="New.", opened_at=1)
        told = await line.next()
        assert (told["type"], told["revision"], told["author"]) == ("saved", 2, owner.username)


@pytest.mark.parametrize("sent", ["no JSON", "[]", '{"section": 3}', "{}", json.dumps({"section": "x" * 3000})])
async def test_other_messages_are_ignored(site: str, owner: User, key: str, sent: str) -> None:
    article = await done(make_completed_article, owner)
    path = f"/ws/articles/{article.pk}/editors"
    async with open_socket(site, path, key) as first, open_socket(site, path, key) as second:
        await second.next()  # the newest revision
        await first.ws.send_str(sent)
        await second.silent()
        assert not first.ws.closed


async def test_strangers_are_refused(site: str, owner: User) -> None:
    article = await done(make_completed_article, owner)
    stranger = await done(UserFactory.create)
    async with open_socket(site, f"/ws/articles/{article.pk}/editors", await done(key_of, stranger)) as line:
        assert (await line.next())["type"] == "error"
        await line.rest()
        assert line.ws.close_code == 4404
