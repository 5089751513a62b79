"""Suggested links to the owner's other finished articles, from words of the text."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User

from articles.models import Article, Status
from articles.seo import LinkSuggestion, SeoAnalysis
from tests.articles.seo_articles import SEO, TEXT, finished
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db

HOST = TEXT.replace("waters them every week", "waters the raised beds with Grey Water every week")


@pytest.fixture
def owner() -> User:
    return UserFactory.create()


def other(owner: User, title: str, *keywords: str, **fields: Any) -> Article:
    article = finished(owner, seo_meta=SEO | {"keywords": list(keywords)}, **fields)
    Article.objects.filter(pk=article.pk).update(title=title)
    return article


def links(owner: User, text: str = HOST) -> list[LinkSuggestion]:
    return SeoAnalysis(finished(owner, text)).internal_links


def test_a_keyword_of_another_article_is_linked_as_it_is_written_here(owner: User) -> None:
    there = other(owner, "A year with a cistern", "grey water", "cistern")
    (link,) = links(owner)
    assert link.article == there
    assert link.anchor_text == "Grey Water"
    assert link.place == "paragraph “The beds of the city grow …”"
    assert link.why == "“grey water” is one of its keywords"


def test_words_of_a_title_are_linked_in_other_forms(owner: User) -> None:
    other(owner, "The raised bed, step by step", "carpentry")
    (link,) = links(owner)
    assert (link.anchor_text, link.why) == ("raised beds", "These words are in its title")


def test_only_finished_articles_of_the_owner_in_the_same_language_are_suggested(owner: User) -> None:
    other(UserFactory.create(), "Grey water", "grey water")
    unfinished = other(owner, "Grey water", "grey water", status=Status.FAILED)
    Article.objects.filter(pk=unfinished.pk).update(content="")
    other(owner, "Grey water", "grey water", language="de")
    assert links(owner, f"{HOST}\n\nA green roof is lighter.") == [], "green roof is a keyword of its own"


def test_a_finished_article_is_suggested_whatever_became_of_later_runs(owner: User) -> None:
    there = other(owner, "Grey water", "grey water", status=Status.FAILED)
    assert [link.article for link in links(owner)] == [there]


def test_regions_of_a_language_may_link_to_each_other(owner: User) -> None:
    other(owner, "Grey water", "grey water", language="en-GB")
    assert len(links(owner)) == 1


def test_its_own_primary_keyword_is_not_linked(owner: User) -> None:
    other(owner, "Beds", "rooftop garden")
    assert links(owner) == []


def test_links_and_headings_are_not_linked(owner: User) -> None:
    other(owner, "Cisterns", "grey water", "choosing a site")
    assert links(owner, HOST.replace("Grey Water", "[old Grey Water](https://example.org)")) == []


def test_parts_of_words_are_not_linked(owner: User) -> None:
    other(owner, "Art", "art", "the bed")
    assert links(owner, "An artist starts with the bedrock.") == []


def test_there_are_at_most_five_and_no_two_from_the_same_words(owner: User) -> None:
    for number, keyword in enumerate(["grey water", "raised bed", "grey water", "house", "somebody", "week", "city"]):
        other(owner, f"Article {number}", keyword)
    found = links(owner)
    assert len(found) == 5
    assert len({link.anchor_text.casefold() for link in found}) == 5
    assert len({link.article for link in found}) == 5


def test_rare_words_come_before_common_ones(owner: User) -> None:
    for number in range(4):
        other(owner, f"Number {number}", "city")
    there = other(owner, "Cisterns", "grey water")
    assert links(owner)[0].article == there


def test_chinese_words_are_found_without_spaces(owner: User) -> None:
    there = other(owner, "雨水", "雨水收集", language="zh")
    (link,) = SeoAnalysis(finished(owner, "屋顶花园可以用于雨水收集系统。", language="zh-Hans")).internal_links
    assert (link.article, link.anchor_text) == (there, "雨水收集")


@pytest.mark.parametrize("stored", [{"keywords": "grey water"}, {"keywords": [None, 7, {}]}, [], "text", None])
def test_malformed_stored_metadata_is_ignored(owner: User, stored: object) -> None:
    other(owner, "Nothing like it")
    Article.objects.update(seo_meta=stored)
    assert links(owner) == []
