"""Texts and briefs changed in the admin."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from articles import services
from articles.models import Article, Status
from tests.articles.admin_pages import PAGE, form_of, save
from tests.factories import (
    make_completed_article,
    make_processing_article,
)


class TestText:
    def test_a_changed_text_becomes_a_revision_with_its_event(self, browser: Client, admin: User, owner: User) -> None:
        article = make_completed_article(owner)
        save(browser, article, content="A better text.\r\n\r\nIn two parts.")
        article.refresh_from_db()
        revision = article.revisions.first()
        assert revision is not None
        assert (revision.number, revision.saved_by, article.content) == (2, admin, "A better text.\n\nIn two parts.")
        newest = article.events.last()
        assert newest is not None
        assert (newest.type, newest.seq) == ("revision", article.last_seq)

    def test_an_untouched_text_is_not_saved_again(self, browser: Client, owner: User) -> None:
        article = make_completed_article(owner)
        save(browser, article)
        assert article.revisions.count() == 1

    def test_a_newer_text_is_not_overwritten_and_the_typed_one_is_kept(self, browser: Client, owner: User) -> None:
        article = make_completed_article(owner)
        form = form_of(article, content="What I typed")
        services.save_text(article=article, by=owner, title="T", content="Theirs", opened_at=1)
        page = browser.post(reverse(PAGE, args=[article.pk]), form).content.decode()
        assert "saved revision 2 after you opened this text" in page
        assert "What I typed" in page
        article.refresh_from_db()
        assert article.content == "Theirs"

    def test_a_newer_text_is_merged_with_the_typed_one(self, browser: Client, admin: User, owner: User) -> None:
        article = make_completed_article(owner)
        base = "One is first.\n\nTwo is second.\n"
        services.save_text(article=article, by=owner, title="T", content=base, opened_at=1)
        form = form_of(article, content=base.replace("first", "mine"))
        services.save_text(article=article, by=owner, title="T", content=base.replace("second", "theirs"), opened_at=2)
        browser.post(reverse(PAGE, args=[article.pk]), form)
        article.refresh_from_db()
        assert article.content == "One is mine.\n\nTwo is theirs.\n"
        assert [revision.saved_by for revision in article.revisions.all()[:2]] == [admin, owner]

    def test_a_changed_brief_leaves_a_newer_text_as_it_is(self, browser: Client, owner: User) -> None:
        article = make_completed_article(owner)
        form = form_of(article, min_words=500)
        services.save_text(article=article, by=owner, title="T", content="Theirs", opened_at=1)
        browser.post(reverse(PAGE, args=[article.pk]), form)
        article.refresh_from_db()
        assert (article.min_words, article.content, article.revisions.count()) == (500, "Theirs", 2)

    def test_nothing_is_changed_while_the_crew_writes(self, browser: Client, owner: User) -> None:
        article, _ = make_processing_article(owner)
        response = save(browser, article, topic="Something else altogether", content="Mine")
        assert "This article is being written" in response.content.decode()
        assert Article.objects.get().topic == "Rooftop gardens in the city"

    def test_a_changed_brief_leaves_everything_else_alone(self, browser: Client, owner: User) -> None:
        article = make_completed_article(owner)
        page = reverse(PAGE, args=[article.pk])
        changed = {"topic": "Rooftop gardens in winter", "min_words": 500, "writing": "whole"}
        save(browser, article, **changed, keywords="roof\r\n green walls, living ")
        article.refresh_from_db()
        assert {name: getattr(article, name) for name in changed} == changed
        assert article.keywords == ["roof", "green walls, living"]
        assert (article.revisions.count(), article.status) == (1, Status.COMPLETED)
        assert browser.get(page).status_code == 200

    @pytest.mark.parametrize(
        ("field", "value", "reason"),
        [
            ("min_words", "20", "Use 300 or more"),
            ("topic", "abc", "at least 5 characters"),
            ("topic", "with\0nul", "Null characters"),
            ("keywords", "x" * 101, "Item 1: "),
            ("keywords", "roof\n" * 21, "at most 20"),
            ("opened_at", "", "required"),
        ],
    )
    def test_a_bad_brief_is_refused(self, browser: Client, owner: User, field: str, value: str, reason: str) -> None:
        article = make_completed_article(owner)
        assert reason in save(browser, article, **{field: value}).content.decode()
        assert Article.objects.get().topic == article.topic

    def test_the_language_is_chosen_from_a_list_that_keeps_another_tag(self, browser: Client, owner: User) -> None:
        article = make_completed_article(owner, language="gsw")
        page = browser.get(reverse(PAGE, args=[article.pk])).content.decode()
        assert '<option value="de">German</option>' in page
        assert '<option value="gsw" selected>gsw</option>' in page

    def test_keywords_are_shown_one_per_line_and_kept_as_they_are(self, browser: Client, owner: User) -> None:
        keywords = ["roof", "Berlin, Germany"]
        article = make_completed_article(owner, keywords=keywords)
        assert "roof\nBerlin, Germany" in browser.get(reverse(PAGE, args=[article.pk])).content.decode()
        save(browser, article, keywords="roof\r\nBerlin, Germany", min_words=500)
        article.refresh_from_db()
        assert (article.keywords, article.min_words) == (keywords, 500)

    def test_keywords_may_be_left_empty(self, browser: Client, owner: User) -> None:
        article = make_completed_article(owner, keywords=["roof"])
        save(browser, article, keywords="")
        assert Article.objects.get().keywords == []
