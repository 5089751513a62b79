"""A source of the brief that ends up uncited is named with the reason on the page and over the API, and to the reviewers."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings

from agents.contract import Outline
from agents.prompts import config
from agents.worker.jobs import run_now
from articles.models import Article, Status
from articles.services import NewSource
from tests import prompts
from tests.articles.clients import client_of
from tests.factories import make_article
from tests.model_server import ModelServer

pytestmark = pytest.mark.django_db(transaction=True)

CITED = NewSource(title="Survey of roofs", text="A planted roof holds 60 % of a summer's rain, says the survey. " * 3)
LEFT_OUT = NewSource(title="Guide to buying", text="Whoever buys a roof pays a notary first, says the guide. " * 3)
EMPTY = NewSource(title="Diary of a gardener", text="In May the gardener saw a fox and two hens near the shed. " * 3)
UNUSED = NewSource(title="Study of heat", text="Rooms below a planted roof stay four degrees cooler in July. " * 3)
COPY = NewSource(title="Survey again", text=CITED.text)
SOURCES = CITED, LEFT_OUT, EMPTY, UNUSED
FACTS = ("Rain is held.", "S1"), ("A notary is paid.", "S2"), ("Rooms stay cool.", "S4")
"""What is found, and in which passage."""


@pytest.fixture(autouse=True)
def plain_static_files(settings: Settings) -> None:
    """Static files by their plain names, because none were collected."""
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": plain}


def script(model: ModelServer, facts: Sequence[tuple[str, str]] = FACTS) -> None:
    """The text cites the first of ``facts`` alone."""
    found = [{"statement": text, "kind": "claim", "date": "", "sources": [id]} for text, id in facts]
    model.fail(match=prompts.FIND, text=json.dumps({"findings": found}))
    model.fail(match=prompts.FIND, text=json.dumps({"findings": []}), times=9)
    model.cites.add("S1")
    model.choices.add("supported")


def written(owner: User, *sources: NewSource) -> Article:
    article = make_article(owner, sources=sources, min_words=300, include_image=False)
    run_now(article.runs.get().pk)
    article.refresh_from_db()
    assert article.status == Status.COMPLETED, article.message
    return article


def reasons_over_the_api(owner: User, article: Article) -> dict[str, str]:
    body = client_of(owner).get(f"/api/articles/{article.pk}/result").json()
    return {unused["title"]: unused["reason"] for unused in body["research_data"]["unused_sources"]}


def panel(owner: User, article: Article, client: Client) -> str:
    """The sources on the article's page."""
    client.force_login(owner)
    shown = client.get(article.get_absolute_url()).content.decode()
    return shown[shown.index('id="sources-body"') :].partition("From your brief")[0]


def test_each_uncited_source_is_named_with_its_reason(owner: User, client: Client, model: ModelServer) -> None:
    script(model)
    article = written(owner, *SOURCES)
    reasons = reasons_over_the_api(owner, article)
    assert reasons == {
        LEFT_OUT.title: "What was found in it was not used in the text.",
        EMPTY.title: "Nothing was found in it that the article needs.",
        UNUSED.title: "What was found in it was not used in the text.",
    }
    shown = panel(owner, article, client).partition("Read, but not cited")[2]
    for title, reason in reasons.items():
        assert shown.index(title) < shown.rindex(reason)
    assert CITED.title not in shown


def test_editors_are_told_of_each_uncited_source_and_of_findings_that_were_not_used(
    owner: User, model: ModelServer
) -> None:
    script(model)
    written(owner, *SOURCES)
    said, asked = config("measurements"), "\n".join(call.prompt for call in model.calls)
    titles = [source.title for source in SOURCES]
    named = [said["uncited"].format(source=number, title=title) for number, title in enumerate(titles, 1)]
    assert [message in asked for message in named] == [False, True, True, True]
    missing = [said["finding"].format(statement=text, sources=id) for text, id in FACTS]
    assert [message in asked for message in missing] == [False, True, True]


def test_findings_belong_to_the_section_that_cites_them_and_the_others_are_dismissed(
    owner: User, model: ModelServer
) -> None:
    script(model)
    article = written(owner, *SOURCES)
    outline = Outline.model_validate(article.outline)
    assert [section.findings for section in outline.sections] == [[1], []]
    reason = "Its passages are not cited in the text."
    assert [(each.finding, each.reason) for each in outline.dismissed] == [(2, reason), (3, reason)]


def test_a_source_of_which_a_part_was_read_says_how_much(owner: User, model: ModelServer, settings: Settings) -> None:
    settings.READING_TOKENS = 400
    script(model, FACTS[:2])
    diary = "\n\n".join(f"On day {day} the gardener saw a fox, {day} hens and a shed. " * 9 for day in range(1, 9))
    article = written(owner, CITED, LEFT_OUT, NewSource(title="Long diary", text=diary))
    assert article.research_data is not None
    read = sum(passage["source"] == 3 for passage in article.research_data["passages"])
    assert read > 1
    assert reasons_over_the_api(owner, article)["Long diary"] == (
        f"Only 1 of its {read} passages fitted into the reading, and nothing was found there that the article needs."
    )


def test_a_copy_of_another_source_is_named_as_one(owner: User, client: Client, model: ModelServer) -> None:
    script(model, FACTS[:2])
    article = written(owner, CITED, LEFT_OUT, COPY)
    assert COPY.title not in reasons_over_the_api(owner, article)
    unread = client_of(owner).get(f"/api/articles/{article.pk}/result").json()["research_data"]["unread"]
    reason = f"Same content as “{CITED.title}”."
    assert [(each["title"], each["reason"]) for each in unread] == [(COPY.title, reason)]
    shown = panel(owner, article, client)
    assert shown.index(COPY.title) < shown.index(reason)


def test_there_is_no_list_if_all_sources_are_cited(owner: User, client: Client, model: ModelServer) -> None:
    script(model, FACTS[:1])
    article = written(owner, CITED)
    assert reasons_over_the_api(owner, article) == {}
    assert "Read, but not cited" not in panel(owner, article, client)
