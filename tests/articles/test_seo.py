"""The SEO score and the results it is computed from: each names its rule and its place in the current text."""

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
    return UserFactory.create()


def results(article: Article, rule: str) -> list[CheckResult]:
    return [result for result in SeoAnalysis(article).report.results if result.rule == rule]


def result(article: Article, rule: str) -> CheckResult:
    (only,) = results(article, rule)
    return only


def described(owner: User, **changes: Any) -> Article:
    return finished(owner, seo_meta=SEO | changes)


def test_the_weights_add_up_to_100() -> None:
    assert sum(rule.weight for rule in RULES) + INTERNAL_LINKS_WEIGHT == 100


def test_an_article_without_problems_scores_100(owner: User) -> None:
    found = SeoAnalysis(finished(owner)).report
    assert [(problem.rule, problem.message) for problem in [*found.warn, *found.bad]] == []
    assert found.score == 100
    assert {good.rule for good in found.good} == {rule.name for rule in RULES}


def test_the_score_follows_edits(owner: User) -> None:
    article = finished(owner)
    rewrite(article, BODY * 12)
    worse = SeoAnalysis(article).report
    assert worse.score < 85
    rewrite(article, TEXT)
    assert SeoAnalysis(article).report.score == 100


def test_an_empty_text_has_a_score(owner: User) -> None:
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
        ({"slug": ""}, "Slug", "bad", "The slug is empty."),
        ({"slug": "a-b-c-d-e-f-g"}, "Slug", "warn", "7 words, 13 characters."),
        ({"keywords": ["roof", "Roof"]}, "Keywords", "warn", "A keyword is listed more than once."),
        ({"keywords": [" "]}, "Keywords", "bad", "There are no keywords."),
        (
            {"title": "What grows above a city's houses"},
            "Keyword in title",
            "warn",
            "“rooftop garden” is missing from the title.",
        ),
        ({"meta_description": "x" * 130}, "Keyword in description", "warn", "missing from the description."),
        ({"slug": "above-the-houses"}, "Keyword in slug", "warn", "“rooftop garden” is missing from the slug."),
        ({"keywords": ["tram"]}, "Keyword at the beginning", "warn", "“tram” is missing from the first paragraph."),
        ({"keywords": ["tram"]}, "Keyword in a heading", "warn", "“tram” is missing from the headings."),
        ({"keywords": ["tram"]}, "Keyword density", "warn", "“tram” does not appear in the text."),
        ({"keywords": ["bed"]}, "Keyword density", "bad", "“bed” appears 24 times in 320 words (7.5%)."),
    ],
)
def test_problems_of_the_metadata_are_found(
    owner: User, changes: dict[str, Any], rule: str, verdict: str, message: str
) -> None:
    found = result(described(owner, **changes), rule)
    assert found.verdict == verdict
    assert message in found.message
    assert found.advice


def test_a_keyword_is_found_in_other_forms_and_without_accents(owner: User) -> None:
    article = described(
        owner, keywords=["vườn trên mái"], slug="vuon-tren-mai-o-da-nang", title="Những vườn trên mái nhà ở phố"
    )
    assert result(article, "Keyword in slug").verdict == "good"
    assert result(article, "Keyword in title").verdict == "good"


@pytest.mark.parametrize(
    ("text", "rule", "place", "message"),
    [
        (
            TEXT.replace("## What it costs", "#### What it costs"),
            "Heading order", "heading “What it costs”", "This heading is level 4, the one before it level 2.",
        ),
        (
            TEXT.replace("## What it costs", "# What it costs"),
            "Heading order", "heading “What it costs”", "This heading has the level of the title.",
        ),
        (
            TEXT.replace(f"## What it costs\n\n{BODY}", f"## What it costs\n\n{FOUR}"),
            "Heading spacing", "heading “What it costs”", "416 words without a heading.",
        ),
        (f"{FOUR}\n\n{TEXT}", "Heading spacing", "beginning", "424 words without a heading."),
        (f"{TEXT}\n\n{BODY * 2}", "Paragraphs", "paragraph “The beds of the city grow …”", "207 words."),
        (f"{TEXT}\n\n![](/media/covers/1/c.png)", "Image", "image", "1 image has no alt text."),
    ],
)  # fmt: skip
def test_problems_of_the_text_name_their_place(owner: User, text: str, rule: str, place: str, message: str) -> None:
    found = result(finished(owner, text), rule)
    assert (found.place, found.message) == (place, message)
    assert found.verdict in ("warn", "bad")
    assert found.advice


def test_only_the_first_problems_of_a_kind_are_listed_and_the_rest_counted(owner: User) -> None:
    found = results(finished(owner, "\n\n".join([BODY * 2] * 9)), "Paragraphs")
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
def test_the_image_the_references_and_the_length_are_checked(
    owner: User, fields: dict[str, Any], rule: str, verdict: str
) -> None:
    assert result(finished(owner, **fields), rule).verdict == verdict


def test_internal_links_are_only_missing_if_there_is_an_article_to_link_to(owner: User) -> None:
    article = finished(owner)
    assert results(article, "Internal links") == []
    other = finished(owner, title="How to water a bed", seo_meta=SEO | {"keywords": ["beds of the city"]})
    assert result(article, "Internal links").verdict == "warn"
    rewrite(article, TEXT + f"\n\nSee [beds]({other.get_absolute_url()}).")
    assert result(article, "Internal links").verdict == "good"


def test_a_link_to_the_sites_full_address_is_internal(owner: User) -> None:
    article = finished(owner, TEXT + "\n\nSee [beds](https://studio.example/articles/9/) and [http://[](http://[).")
    report = SeoAnalysis(article, base_url="https://studio.example").report
    assert [good.message for good in report.good if good.rule == "Internal links"] == ["1 link to the same site."]
    assert results(article, "Internal links") == []


def test_headings_have_their_levels_and_words(owner: User) -> None:
    text = "Begin.\n\nFirst\n=====\n\nTwo words.\n\n### *Third*\n\n- one\n- two\n\n## ##\n\n屋顶花园"
    found = [(heading.level, heading.text, heading.words) for heading in SeoAnalysis(finished(owner, text)).headings]
    assert found == [(1, "First", 2), (3, "Third", 6)]


def test_a_malformed_text_has_a_score(owner: User) -> None:
    for text in ("#" * 500, "[" * 3000, "> " * 500, "![" * 500, "|" * 900, "\n".join("# x" for _ in range(2000))):
        assert 0 <= SeoAnalysis(finished(owner, text)).report.score <= 100
