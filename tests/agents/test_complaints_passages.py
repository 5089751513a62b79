"""What people complain about in other tools: a citation of a PDF opens its first page, and the passage has to be searched for."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Iterator

import pytest
from aiohttp import web
from django.contrib.auth.models import User
from pytest_django import Settings

from agents.worker.jobs import run_now
from articles.exports import FORMATS
from articles.models import Article, Status
from articles.services import NewSource
from tests.agents.documents import made_pdf
from tests.agents.fixtures.loopback import page, serving
from tests.articles.clients import client_of
from tests.articles.export_samples import words
from tests.factories import make_article
from tests.model_server import ModelServer

pytestmark = pytest.mark.django_db(transaction=True)

PAGES = {number: 1000 + 37 * number for number in range(1, 41)}
"""The pages of the report, each about a town with so many trees."""

STORY = (
    "Planted roofs of the old harbour stay 9 degrees cooler in July. The council counted 731 of them last year. " * 3
)


def report() -> bytes:
    """A PDF of forty pages."""
    filler = "The council planted them along the streets, which grow warmer each year, and people asked for shade. "
    texts = (
        f"Town {number} has {trees} trees in its streets. {filler * (number % 4 + 2)}"
        for number, trees in PAGES.items()
    )
    return made_pdf("\n#pagebreak()\n".join(texts))


@pytest.fixture
def site(settings: Settings) -> Iterator[str]:
    """A web site with the report and a page."""
    settings.FETCH_ALLOW = ["127.0.0.0/8"]
    body, ready, done, address = report(), threading.Event(), threading.Event(), list[str]()

    async def answer(request: web.BaseRequest) -> web.Response:
        if request.path == "/report.pdf":
            return web.Response(body=body, content_type="application/pdf")
        return web.Response(text=page("Roofs of the harbour", STORY), content_type="text/html")

    async def serve() -> None:
        async with serving(answer) as found:
            address.append(found)
            ready.set()
            await asyncio.to_thread(done.wait)

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    assert ready.wait(10)
    yield address[0]
    done.set()
    thread.join()


def written(owner: User, model: ModelServer, site: str, *cited: str) -> Article:
    """An article that cites these passages."""
    sources = NewSource(url=f"{site}/report.pdf"), NewSource(url=f"{site}/roofs")
    model.cites.update(cited)
    model.choices.add("supported")
    article = make_article(owner, sources=sources, min_words=300, include_image=False)
    run_now(article.runs.get().pk)
    article.refresh_from_db()
    assert article.status == Status.COMPLETED, article.message
    return article


def test_a_citation_leads_to_the_page_of_a_pdf_and_to_the_words_of_a_web_page(
    owner: User, model: ModelServer, site: str
) -> None:
    article = written(owner, model, site, "S17", "S41")
    items = client_of(owner).get(f"/api/articles/{article.pk}/evidence").json()["items"]
    passages = {passage["id"]: passage for item in items for passage in item["passages"]}
    assert passages["S17"]["page"] == 17
    assert f"{PAGES[17]} trees" in passages["S17"]["text"]
    assert passages["S17"]["link"] == f"{site}/report.pdf#page=17"
    assert "731 of them" in passages["S41"]["text"]
    assert passages["S41"]["link"] == (
        f"{site}/roofs#:~:text=Roofs%20of%20the%20harbour,counted%20731%20of%20them%20last%20year."
    )


@pytest.mark.parametrize("number", [1, 17, 40])
def test_references_name_the_page_in_every_file(owner: User, model: ModelServer, site: str, number: int) -> None:
    article = written(owner, model, site, f"S{number}")
    for format in FORMATS:
        response = client_of(owner).get(f"/api/articles/{article.pk}/export/{format}")
        flat = re.sub(r"\s+", " ", words(bytes(response.content), format))
        assert f"p. {number}" in flat, format
        assert f"report.pdf#page={number}" in flat.replace(" ", ""), format
