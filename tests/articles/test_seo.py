"""The score, and the points it is made of: each names its rule and its place, for the text as it is now."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User

from articles.models import Article
from articles.seo import CheckResult, SeoAnalysis
from articles.seo.report import INTERNAL_LINKS_WEIGHT, RULES
from tests.articles.seo_articles import BODY, SEO, TEXT, finished, rewrite
from tests.factories import UserFactory

FOUR = "\n\n".join([BODY] * 4)

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner() -> User:
    return UserFactory()


def points(article: Article, rule: str) -> list[CheckResult]:
    return [point for point in SeoAnalysis(article).report.results if point.rule == rule]


def point(article: Article, rule: str) -> CheckResult:
    (only,) = points(article, rule)
    return only


def described(owner: User, **changes: Any) -> Article:
    return finished(owner, seo_meta=SEO | changes)


def test_the_weights_make_a_hundred_and_each_has_its_reason() -> None:
    assert sum(rule.weight for rule in RULES) + INTERNAL_LINKS_WEIGHT == 100
    assert all(rule.reason for rule in RULES)


def test_an_article_without_a_fault_has_a_full_score(owner: User) -> None:
    found = SeoAnalysis(finished(owner)).report
    assert [(fault.rule, fault.message) for fault in [*found.warn, *found.bad]] == []
    assert found.score == 100
    assert {good.rule for good in found.good} == {rule.name for rule in RULES}


def test_the_score_follows_the_text_as_people_edit_it(owner: User) -> None:
    article = finished(owner)
    rewrite(article, BODY * 12)
    worse = SeoAnalysis(article).report
    assert worse.score < 85
    rewrite(article, TEXT)
    assert SeoAnalysis(article).report.score == 100


def test_an_empty_text_is_judged_as_well(owner: User) -> None:
    article = finished(owner)
    article.content, article.word_count = "", 0
    assert SeoAnalysis(article).report.score < 100


@pytest.mark.parametrize(
    ("changes", "rule", "verdict", "message"),
    [
        ({"title": "x" * 66}, "Title length", "warn", "66 characters."),
        ({"title": "x" * 90}, "Title length", "bad", "90 characters."),
        ({"title": "Roofs"}, "Title length", "bad", "5 characters."),
        ({"meta_description": ""}, "Description length", "bad", "0 characters."),
        ({"slug": ""}, "Slug", "bad", "There is none."),
        ({"slug": "a-b-c-d-e-f-g"}, "Slug", "warn", "7 words, 13 characters."),
        ({"keywords": ["roof", "Roof"]}, "Keywords", "warn", "One stands there more than once."),
        ({"keywords": [" "]}, "Keywords", "bad", "There are none."),
        (
            {"title": "What grows above a city's houses"},
            "Keyword in title",
            "warn",
            "does not speak of “rooftop garden”",
        ),
        ({"meta_description": "x" * 130}, "Keyword in description", "warn", "does not speak of “rooftop garden”"),
        ({"slug": "above-the-houses"}, "Keyword in slug", "warn", "does not speak of “rooftop garden”"),
        ({"keywords": ["tram"]}, "Keyword at the beginning", "warn", "does not speak of “tram”"),
        ({"keywords": ["tram"]}, "Keyword in a heading", "warn", "None speaks of “tram”."),
        ({"keywords": ["tram"]}, "Keyword density", "warn", "“tram” does not stand in it."),
        ({"keywords": ["bed"]}, "Keyword density", "bad", "“bed” stands 24 times in 320 words (7.5%)."),
    ],
)
def test_what_it_is_described_by_is_judged(
    owner: User, changes: dict[str, Any], rule: str, verdict: str, message: str
) -> None:
    found = point(described(owner, **changes), rule)
    assert found.verdict == verdict
    assert message in found.message
    assert found.advice


def test_a_keyword_is_found_in_other_forms_and_with_its_accents_lost(owner: User) -> None:
    article = described(
        owner, keywords=["vườn trên mái"], slug="vuon-tren-mai-o-da-nang", title="Những vườn trên mái nhà ở phố"
    )
    assert point(article, "Keyword in slug").verdict == "good"
    assert point(article, "Keyword in title").verdict == "good"


@pytest.mark.parametrize(
    ("text", "rule", "place", "message"),
    [
        (
            TEXT.replace("## What it costs", "#### What it costs"),
            "Heading order", "heading “What it costs”", "It is of level 4 below one of level 2.",
        ),
        (
            TEXT.replace("## What it costs", "# What it costs"),
            "Heading order", "heading “What it costs”", "It stands at the level of the title.",
        ),
        (
            TEXT.replace(f"## What it costs\n\n{BODY}", f"## What it costs\n\n{FOUR}"),
            "Heading spacing", "heading “What it costs”", "416 words without a heading.",
        ),
        (f"{FOUR}\n\n{TEXT}", "Heading spacing", "beginning", "424 words without a heading."),
        (f"{TEXT}\n\n{BODY * 2}", "Paragraphs", "paragraph “The beds of the city grow …”", "207 words."),
        (f"{TEXT}\n\n![](/media/covers/1/c.png)", "Image", "image", "1 picture has no description."),
    ],
)  # fmt: skip
def test_a_fault_of_the_text_names_its_place(owner: User, text: str, rule: str, place: str, message: str) -> None:
    found = point(finished(owner, text), rule)
    assert (found.place, found.message) == (place, message)
    assert found.verdict in ("warn", "bad")
    assert found.advice


def test_of_many_faults_of_one_kind_a_few_are_named_and_the_rest_counted(owner: User) -> None:
    found = points(finished(owner, "\n\n".join([BODY * 2] * 9)), "Paragraphs")
    assert len(found) == 4
    assert found[-1].message == "207 words. 5 more like this."


@pytest.mark.parametrize(
    ("fields", "rule", "verdict"),
    [
        ({"image": ""}, "Image", "warn"),
        ({"image_alt": " "}, "Image", "bad"),
        ({"references": []}, "References", "warn"),
        ({"min_words": 5000}, "Text length", "bad"),
        ({"min_words": 390}, "Text length", "warn"),
    ],
)
def test_what_goes_with_the_text_is_judged(owner: User, fields: dict[str, Any], rule: str, verdict: str) -> None:
    assert point(finished(owner, **fields), rule).verdict == verdict


def test_links_within_the_site_are_asked_for_only_where_there_is_an_article_to_link_to(owner: User) -> None:
    article = finished(owner)
    assert points(article, "Internal links") == []
    other = finished(owner, title="How to water a bed", seo_meta=SEO | {"keywords": ["beds of the city"]})
    assert point(article, "Internal links").verdict == "warn"
    rewrite(article, TEXT + f"\n\nSee [beds]({other.get_absolute_url()}).")
    assert point(article, "Internal links").verdict == "good"


def test_a_link_to_the_sites_full_address_is_one_within_it(owner: User) -> None:
    article = finished(owner, TEXT + "\n\nSee [beds](https://studio.example/articles/9/) and [http://[](http://[).")
    report = SeoAnalysis(article, base_url="https://studio.example").report
    assert [good.message for good in report.good if good.rule == "Internal links"] == ["1 to the same site."]
    assert points(article, "Internal links") == []


def test_headings_are_told_with_their_levels_and_words(owner: User) -> None:
    text = "Begin.\n\nFirst\n=====\n\nTwo words.\n\n### *Third*\n\n- one\n- two\n\n## ##\n\n屋顶花园"
    found = [(heading.level, heading.text, heading.words) for heading in SeoAnalysis(finished(owner, text)).headings]
    assert found == [(1, "First", 2), (3, "Third", 6)]


def test_a_text_of_garbage_is_judged_without_a_word(owner: User) -> None:
    for text in ("#" * 500, "[" * 3000, "> " * 500, "![" * 500, "|" * 900, "\n".join("# x" for _ in range(2000))):
        assert 0 <= SeoAnalysis(finished(owner, text)).report.score <= 100
