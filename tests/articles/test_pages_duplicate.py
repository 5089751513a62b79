"""The brief of an article: shown on its page, and copied with its sources to a new one."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

import pytest
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.test import Client
from django.urls import reverse

from articles.models import Article, Source
from articles.services import NewSource
from articles.services.sources import store_sources, stored_files
from tests.articles.test_pages_brief import brief
from tests.factories import UserFactory, make_completed_article

pytestmark = pytest.mark.django_db

GIVEN = [
    NewSource(text="Roofs are flat.", title="Notes", publisher="Institute", date="2024-05"),
    NewSource(url="https://example.org/report"),
    NewSource(upload=ContentFile(b"Twelve roofs.", name="survey.txt"), author="A. Writer"),
]


@pytest.fixture
def article(writer: User) -> Article:
    article = make_completed_article(writer, keywords=["roofs", "heat"], notes="Leave out solar.", tone="dry")
    with stored_files(GIVEN) as rows:
        store_sources(article, rows)
    return article


def address(article: Article) -> str:
    return reverse("duplicate_brief", args=[article.pk])


def text(response: Any) -> str:
    return " ".join(response.content.decode().split())


def newest() -> Article:
    return Article.objects.order_by("-pk")[0]


class TestTheTab:
    def test_it_shows_what_was_asked_for(self, page: Client, article: Article) -> None:
        shown = text(page.get(article.get_absolute_url())).partition('id="brief-body"')[2].partition("</dl>")[0]
        for part in (
            article.topic,
            "roofs, heat",
            "Leave out solar.",
            "Dry",
            "survey.txt",
            f"it has {article.word_count}",
        ):
            assert part in shown

    def test_it_leads_to_another_article_and_to_writing_again(self, page: Client, article: Article) -> None:
        shown = text(page.get(article.get_absolute_url()))
        assert f'href="{address(article)}"' in shown
        assert "Change and write again" in shown


class TestDuplicating:
    def test_the_form_is_filled_with_the_brief(self, page: Client, article: Article) -> None:
        shown = text(page.get(address(article)))
        for part in (
            article.topic,
            'value="roofs, heat"',
            "Leave out solar.",
            'value="dry"',
            "Copied sources",
            "survey.txt",
        ):
            assert part in shown
        assert Article.objects.count() == 1

    def test_a_new_article_has_copies_of_the_sources(self, page: Client, article: Article) -> None:
        dropped = article.sources.get(url="https://example.org/report")
        response = page.post(address(article), brief(min_words="800", remove=[dropped.pk]))
        made = newest()
        assert response["Location"] == made.get_absolute_url()
        assert (made.pk != article.pk, made.min_words, article.sources.count()) == (True, 800, 3)
        notes, document = made.sources.all()
        assert (notes.title, notes.text, notes.publisher, notes.date) == (
            "Notes",
            "Roofs are flat.",
            "Institute",
            "2024-05",
        )
        assert (document.title, document.author) == ("survey.txt", "A. Writer")
        assert document.upload.name != article.sources.exclude(upload="").get().upload.name
        assert document.upload.read() == b"Twelve roofs."

    def test_new_sources_are_added_to_the_copies(self, page: Client, article: Article) -> None:
        page.post(address(article), brief(**{"text-0-title": "New", "text-0-text": "Fresh."}))
        assert newest().sources.count() == 4

    def test_an_invalid_brief_creates_nothing_and_keeps_the_choice(self, page: Client, article: Article) -> None:
        dropped = article.sources.get(title="Notes").pk
        shown = text(page.post(address(article), brief(min_words="5", remove=[dropped])))
        assert "Please fix 1 field:" in shown
        assert f'value="{dropped}" checked' in shown
        assert Article.objects.count() == 1

    def test_a_document_that_is_gone_is_named(self, page: Client, article: Article) -> None:
        article.sources.exclude(upload="").get().upload.storage.delete(
            article.sources.exclude(upload="").get().upload.name or ""
        )
        assert "The document “survey.txt” is no longer stored." in text(page.post(address(article), brief()))
        assert Article.objects.count() == 1

    def test_an_outage_of_the_storage_keeps_the_form(self, page: Client, article: Article) -> None:
        with patch.object(type(Source().upload), "open", side_effect=ConnectionError):
            shown = text(page.post(address(article), brief(topic="A topic that is kept")))
        assert "A topic that is kept" in shown
        assert Article.objects.count() == 1

    def test_another_users_brief_is_not_found(self, page: Client) -> None:
        theirs = make_completed_article(UserFactory.create())
        assert page.get(address(theirs)).status_code == 404
        assert page.post(address(theirs), brief()).status_code == 404
