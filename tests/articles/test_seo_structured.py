"""What search engines and cards are told of an article: JSON-LD that is valid, and Open Graph."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from django.contrib.auth.models import User
from pytest_django import Settings

from articles.exports import export
from articles.exports.download import document_of
from articles.models import Article
from articles.seo import SeoAnalysis, json_ld, meta_tags, open_graph, script_safe
from tests.articles.seo_articles import SEO, finished
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db

SITE = "https://studio.example"
SCHEMA = json.loads((Path(__file__).parent / "schemas" / "json_ld.json").read_text())
FAQ = [{"question": "How much cooler is it?", "answer": "Up to 11 °C in summer."}]
HOSTILE = '</script><script>alert("1")</script><!-- &amp; \u2028'


@pytest.fixture
def owner() -> User:
    return UserFactory(first_name="Ada", last_name="Byron")


def problems(told: dict[str, Any]) -> list[str]:
    checker = jsonschema.Draft202012Validator(SCHEMA, format_checker=jsonschema.FormatChecker())
    return [f"{error.json_path}: {error.message}" for error in checker.iter_errors(told)]


def rows(article: Article, **more: str) -> dict[str, str]:
    return dict(open_graph(article, base_url=SITE, **more))


class Head(HTMLParser):
    """The elements of an HTML file that are not for its readers' eyes."""

    def __init__(self, html: bytes) -> None:
        super().__init__()
        self.metas: list[dict[str, str | None]] = []
        self.texts: dict[str, list[str]] = {"script": [], "title": []}
        self.inside = ""
        self.feed(html.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.inside = tag
        if tag == "meta":
            self.metas.append(dict(attrs))
        if tag in self.texts:
            self.texts[tag].append("")

    def handle_endtag(self, tag: str) -> None:
        self.inside = ""

    def handle_data(self, data: str) -> None:
        if self.inside in self.texts:
            self.texts[self.inside][-1] += data


class TestJsonLd:
    def test_an_article_is_valid(self, owner: User) -> None:
        told = json_ld(finished(owner), base_url=SITE)
        assert problems(told) == []
        assert told["@type"] == "Article"
        assert told["author"]["name"] == "Ada Byron"
        assert told["image"] == [f"{SITE}/media/covers/1/b.png", f"{SITE}/media/covers/1/a.png"]
        assert told["citation"] == [
            {"@type": "CreativeWork", "name": "City roofs surveyed", "url": "https://example.org/roofs"}
        ]
        assert told["wordCount"] == 330
        assert told["keywords"] == SEO["keywords"]

    def test_questions_make_it_a_graph_that_is_valid(self, owner: User) -> None:
        told = json_ld(finished(owner, seo_meta=SEO | {"faq": FAQ}), base_url=SITE)
        assert problems(told) == []
        article, questions = told["@graph"]
        assert (article["@type"], questions["@type"]) == ("Article", "FAQPage")
        assert questions["mainEntity"][0]["acceptedAnswer"]["text"] == "Up to 11 °C in summer."

    def test_the_schema_notices_what_is_missing(self, owner: User) -> None:
        told = json_ld(finished(owner), base_url=SITE)
        for name in ("headline", "image", "datePublished", "author", "mainEntityOfPage"):
            assert problems({key: value for key, value in told.items() if key != name})
        assert problems(told | {"headline": "x" * 111})
        assert problems(told | {"datePublished": "yesterday"})

    def test_a_headline_is_cut_at_a_word(self, owner: User) -> None:
        told = json_ld(finished(owner, title="gardening " * 20), base_url=SITE)
        assert told["headline"] == "gardening " * 10 + "gardening…"

    def test_its_page_is_the_studios_or_the_one_that_will_publish_it(self, owner: User) -> None:
        article = finished(owner)
        assert json_ld(article, base_url=SITE)["mainEntityOfPage"]["@id"] == SITE + article.get_absolute_url()
        examined = SeoAnalysis(article)
        assert examined.json_ld["mainEntityOfPage"]["@id"] == "https://your-site.example/rooftop-gardens-evidence"
        assert problems(examined.json_ld) == []

    def test_its_publisher_is_the_one_that_is_set(self, owner: User, settings: Settings) -> None:
        settings.PUBLISHER = "The Roof Review"
        assert json_ld(finished(owner))["publisher"]["name"] == "The Roof Review"

    def test_without_a_site_no_address_is_made_up(self, owner: User) -> None:
        assert json_ld(finished(owner)).keys().isdisjoint({"image", "mainEntityOfPage"})

    def test_an_article_that_was_not_described_has_what_its_row_tells(self, owner: User) -> None:
        told = json_ld(finished(owner, seo_meta=None, image="", share_image=""), base_url=SITE)
        assert told["headline"] == "Rooftop gardens: what the evidence says"
        assert told.keys().isdisjoint({"description", "keywords", "image"})

    def test_an_address_that_is_no_web_page_is_not_cited_as_one(self, owner: User) -> None:
        reference = {"number": 1, "source": 1, "title": "Notes", "url": "javascript:alert(1)", "passages": []}
        told = json_ld(finished(owner, references=[reference, "garbage"]), base_url=SITE)
        assert told["citation"] == [{"@type": "CreativeWork", "name": "Notes"}]
        assert problems(told) == []

    def test_nothing_in_it_can_leave_its_script_element(self, owner: User) -> None:
        hostile = SEO | {"title": HOSTILE, "faq": [{"question": HOSTILE, "answer": HOSTILE}]}
        told = json_ld(finished(owner, title=HOSTILE, seo_meta=hostile), base_url=SITE)
        text = script_safe(told)
        assert not set("<>&\u2028") & set(text)
        assert json.loads(text) == told


class TestOpenGraph:
    def test_a_card_has_title_text_and_the_picture_cut_for_it(self, owner: User) -> None:
        told = rows(finished(owner, language="en-GB"))
        assert told["og:type"] == "article"
        assert told["og:title"] == SEO["title"]
        assert told["og:description"] == SEO["meta_description"]
        assert told["og:image"] == f"{SITE}/media/covers/1/b.png"
        assert (told["og:image:width"], told["og:image:height"]) == ("1200", "630")
        assert told["og:image:alt"] == "Beds on a roof"
        assert told["og:locale"] == "en_GB"
        assert told["twitter:card"] == "summary_large_image"

    def test_each_keyword_is_a_tag(self, owner: User) -> None:
        tags = [content for name, content in open_graph(finished(owner)) if name == "article:tag"]
        assert tags == SEO["keywords"]

    def test_a_picture_of_other_proportions_is_told_without_a_size(self, owner: User) -> None:
        told = rows(finished(owner, share_image=""))
        assert told["og:image"] == f"{SITE}/media/covers/1/a.png"
        assert "og:image:width" not in told

    def test_without_a_picture_the_card_is_small(self, owner: User) -> None:
        told = rows(finished(owner, image="", share_image=""))
        assert told["twitter:card"] == "summary"
        assert "og:image" not in told

    @pytest.mark.parametrize(
        ("language", "locale"), [("en", None), ("pt-BR", "pt_BR"), ("zh-Hans", None), ("zh-Hant-TW", "zh_TW")]
    )
    def test_a_region_is_told_only_where_the_language_names_one(
        self, owner: User, language: str, locale: str | None
    ) -> None:
        assert rows(finished(owner, language=language)).get("og:locale") == locale

    def test_nothing_in_it_can_leave_its_attribute(self) -> None:
        html = meta_tags([("og:title", f'"><img src=x onerror=alert(1)>{HOSTILE}'), ("twitter:card", "summary")])
        head = Head(html.encode())
        assert len(head.metas) == 2
        assert head.metas[0]["property"] == "og:title"
        assert head.metas[1] == {"name": "twitter:card", "content": "summary"}
        assert head.texts["script"] == []


class TestTheFile:
    def head(self, article: Article) -> Head:
        return Head(export(document_of(article), "html"))

    def test_its_head_tells_search_engines_and_cards(self, owner: User) -> None:
        article = finished(owner, title="Roofs", image="")
        head = self.head(article)
        metas = {meta.get("property") or meta.get("name"): meta.get("content") for meta in head.metas}
        assert head.texts["title"] == [SEO["title"]]
        assert metas["description"] == SEO["meta_description"]
        assert metas["og:title"] == SEO["title"]
        assert metas["twitter:card"] == "summary"
        assert json.loads(head.texts["script"][0]) == json.loads(json.dumps(json_ld(article)))

    def test_questions_it_tells_engines_of_stand_on_the_page_too(self, owner: User) -> None:
        html = export(document_of(finished(owner, seo_meta=SEO | {"faq": FAQ}, image="")), "html").decode()
        assert "<h3>How much cooler is it?</h3>\n<p>Up to 11 °C in summer.</p>" in html

    def test_hostile_words_stay_words(self, owner: User) -> None:
        hostile = SEO | {
            "title": HOSTILE,
            "meta_description": HOSTILE,
            "faq": [{"question": HOSTILE, "answer": HOSTILE}],
        }
        head = self.head(finished(owner, title=HOSTILE, seo_meta=hostile, image=""))
        assert len(head.texts["script"]) == 1
        assert json.loads(head.texts["script"][0])["@graph"][1]["mainEntity"][0]["name"] == HOSTILE

    def test_an_article_that_was_not_described_is_exported_as_well(self, owner: User) -> None:
        assert self.head(finished(owner, seo_meta=None, image="")).texts["title"] == [
            "Rooftop gardens: what the evidence says"
        ]
