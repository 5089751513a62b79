"""The write-again page: the brief and sources can be changed, and nothing starts before it is sent."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from articles.models import Article, SpendingLimit, Voice
from articles.services import NewSource, cancel_run, start_run
from articles.services.sources import store_sources, stored_files
from tests.articles.test_pages_brief import brief
from tests.factories import UserFactory, make_completed_article

pytestmark = pytest.mark.django_db


@pytest.fixture
def article(writer: User) -> Article:
    article = make_completed_article(
        writer,
        keywords=["roofs", "heat"],
        notes="Leave out solar.",
        tone="dry",
        voice=Voice.objects.create(name="House"),
    )
    with stored_files(
        [NewSource(text="Roofs are flat.", title="Notes"), NewSource(text="More.", title="Others")]
    ) as rows:
        store_sources(article, rows)
    return article


def address(article: Article) -> str:
    return reverse("write_again", args=[article.pk])


def text(response: Any) -> str:
    return " ".join(response.content.decode().split())


def test_the_brief_is_shown_with_its_sources_and_its_price(page: Client, article: Article) -> None:
    shown = text(page.get(address(article)))
    for part in (article.topic, 'value="roofs, heat"', "Leave out solar.", 'value="dry"', "Notes", "<b>Cost</b>"):
        assert part in shown
    assert '<option value="House" selected>' in shown
    assert article.runs.count() == 1


def test_a_changed_brief_and_changed_sources_are_written_from(page: Client, article: Article) -> None:
    dropped = article.sources.get(title="Notes")
    changed = brief(min_words="800", **{"remove": [dropped.pk], "text-0-title": "New", "text-0-text": "Fresh."})
    response = page.post(address(article), changed)
    assert response["Location"] == article.get_absolute_url()
    before = article.content
    article.refresh_from_db()
    assert (article.min_words, article.tone, article.keywords) == (800, "dry", ["roofs", "heat"])
    assert [source.title for source in article.sources.all()] == ["Others", "New"]
    assert article.runs.count() == 2
    assert article.content == before


def test_an_invalid_brief_starts_and_changes_nothing(page: Client, article: Article) -> None:
    removed = article.sources.get(title="Notes").pk
    shown = text(page.post(address(article), brief(min_words="5", remove=[removed])))
    assert "Please fix 1 field:" in shown
    assert f'value="{removed}" checked' in shown
    assert article.runs.count() == 1
    assert article.sources.count() == 2


def test_sources_of_another_article_are_not_removed(page: Client, article: Article) -> None:
    theirs = make_completed_article(UserFactory.create())
    with stored_files([NewSource(text="Theirs.")]) as rows:
        store_sources(theirs, rows)
    page.post(address(article), brief(remove=[theirs.sources.get().pk, "x", "9" * 40]))
    assert theirs.sources.count() == 1


def test_an_article_being_written_redirects_to_its_page(page: Client, article: Article, writer: User) -> None:
    start_run(article=article, by=writer)
    assert page.get(address(article))["Location"] == article.get_absolute_url()


def test_a_cancelled_rewrite_shows_and_offers_the_finished_text(page: Client, article: Article, writer: User) -> None:
    start_run(article=article, by=writer)
    cancel_run(article=article, by=writer)
    shown = text(page.get(article.get_absolute_url()))
    assert (
        "Flat roofs are the largest unused surface"
        in shown.partition('<article class="paper"')[2].partition("</article>")[0]
    )
    assert "The earlier text can be read, edited and downloaded as before." in shown
    assert 'data-first="article"' in shown
    for name in ("text_edit", "revision_list"):
        assert reverse(name, args=[article.pk]) in shown
    assert page.get(reverse("article_download", args=[article.pk, "md"])).status_code == 200


class TestSpending:
    """A writer sees the month and is warned before a run that would be paused."""

    @pytest.fixture(autouse=True)
    def with_a_model(self, settings: Any) -> None:
        settings.HAS_MODEL = True
        settings.OPENAI_API_KEY = "sk-test"

    @pytest.mark.parametrize(
        ("limits", "warning"),
        [
            ({"per_run": "0.01"}, "Your limit per article is $0.010."),
            ({"per_month": "0.01"}, "You have $0.010 left this month."),
            ({"per_run": "100", "per_month": "100"}, ""),
        ],
    )
    @pytest.mark.parametrize("where", ["article_new", "brief_estimate"])
    def test_a_limit_below_the_estimate_shows_a_warning(
        self, page: Client, writer: User, limits: dict[str, str], warning: str, where: str
    ) -> None:
        SpendingLimit.objects.create(user=writer, **{name: Decimal(value) for name, value in limits.items()})
        shown = text(page.get(reverse(where), {"min_words": "1000"}))
        if warning:
            assert warning in shown
            assert "Ask an editor to raise your limit." in shown
        else:
            assert "estimate-warning" not in shown

    def test_the_estimate_is_shown_before_an_article_is_written_again(self, page: Client, article: Article) -> None:
        shown = text(page.get(address(article)))
        assert re.search(r"<b>Cost</b> About \$[\d.]+ to \$[\d.]+: \d+ calls", shown)

    def test_the_month_is_on_the_brief_and_the_account_page(self, page: Client, writer: User) -> None:
        SpendingLimit.objects.create(user=writer, per_month=Decimal(5))
        for name in ("article_new", "account"):
            assert "of $5.00" in text(page.get(reverse(name)))
