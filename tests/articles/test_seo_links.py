"""Links to the owner's other finished articles, from words that stand in the text."""

from __future__ import annotations

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
    return UserFactory()


def other(owner: User, title: str, *keywords: str, **fields: object) -> Article:
    article = finished(owner, seo_meta=SEO | {"keywords": list(keywords)}, **fields)
    Article.objects.filter(pk=article.pk).update(title=title)
    return article


def links(owner: User, text: str = HOST) -> list[LinkSuggestion]:
    return SeoAnalysis(finished(owner, text)).internal_links


def test_a_keyword_of_another_article_leads_there_as_it_is_written_here(owner: User) -> None:
    there = other(owner, "A year with a cistern", "grey water", "cistern")
    (link,) = links(owner)
    assert link.article == there
    assert link.anchor_text == "Grey Water"
    assert link.place == "paragraph “The beds of the city grow …”"
    assert link.why == "“grey water” is a keyword of it"


def test_words_of_a_title_lead_there_in_other_forms_too(owner: User) -> None:
    other(owner, "The raised bed, step by step", "carpentry")
    (link,) = links(owner)
    assert (link.anchor_text, link.why) == ("raised beds", "These words stand in its title")


def test_it_never_suggests_itself_nor_what_is_not_finished_nor_anothers_nor_another_language(owner: User) -> None:
    other(UserFactory(), "Grey water", "grey water")
    other(owner, "Grey water", "grey water", status=Status.FAILED)
    other(owner, "Grey water", "grey water", language="de")
    assert links(owner, f"{HOST}\n\nA green roof is lighter.") == [], "green roof is a keyword of its own"


def test_regions_of_a_language_may_link_to_each_other(owner: User) -> None:
    other(owner, "Grey water", "grey water", language="en-GB")
    assert len(links(owner)) == 1


def test_its_own_primary_keyword_is_left_to_itself(owner: User) -> None:
    other(owner, "Beds", "rooftop garden")
    assert links(owner) == []


def test_what_is_a_link_already_or_only_a_heading_is_no_place_for_one(owner: User) -> None:
    other(owner, "Cisterns", "grey water", "choosing a site")
    assert links(owner, HOST.replace("Grey Water", "[old Grey Water](https://example.org)")) == []


def test_parts_of_words_are_not_their_words(owner: User) -> None:
    other(owner, "Art", "art", "the bed")
    assert links(owner, "An artist starts with the bedrock.") == []


def test_there_are_five_at_most_and_no_two_from_the_same_words(owner: User) -> None:
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


def test_chinese_words_are_found_though_no_space_parts_them(owner: User) -> None:
    there = other(owner, "雨水", "雨水收集", language="zh")
    (link,) = SeoAnalysis(finished(owner, "屋顶花园可以用于雨水收集系统。", language="zh-Hans")).internal_links
    assert (link.article, link.anchor_text) == (there, "雨水收集")


@pytest.mark.parametrize("stored", [{"keywords": "grey water"}, {"keywords": [None, 7, {}]}, [], "text", None])
def test_what_another_version_stored_stops_nothing(owner: User, stored: object) -> None:
    other(owner, "Nothing like it")
    Article.objects.update(seo_meta=stored)
    assert links(owner) == []
