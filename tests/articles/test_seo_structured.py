"""Structured data (JSON-LD) and Open Graph tags, alone and in exported HTML."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from django.contrib.auth.models import User
from pytest_django import Settings

from agents.contract import DRAWN_BY_STUDIO
from articles.exports import export
from articles.exports.download import document_of
from articles.models import Article
from articles.seo import SeoAnalysis, json_ld, meta_tags, open_graph, script_safe
from tests.articles.export_samples import words
from tests.articles.seo_articles import SEO, finished
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db

SITE = "https://studio.example"
SCHEMA = json.loads((Path(__file__).parent / "schemas" / "json_ld.json").read_text())
FAQ = [{"question": "How much cooler is it?", "answer": "Up to 11 °C in summer."}]
HOSTILE = '</script><script>alert("1")</script><!-- &amp; \u2028'


@pytest.fixture
def owner() -> User:
    return UserFactory.create(first_name="Ada", last_name="Byron")


def problems(data: dict[str, Any]) -> list[str]:
    checker = jsonschema.Draft202012Validator(SCHEMA, format_checker=jsonschema.FormatChecker())
    return [f"{error.json_path}: {error.message}" for error in checker.iter_errors(data)]


def rows(article: Article, **more: str) -> dict[str, str]:
    return dict(open_graph(article, base_url=SITE, **more))


class Head(HTMLParser):
    """The meta, script and title elements of an HTML file."""

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
        data = json_ld(finished(owner), base_url=SITE)
        assert problems(data) == []
        assert data["@type"] == "Article"
        assert data["author"]["name"] == "Ada Byron"
        assert [image["url"] for image in data["image"]] == [
            f"{SITE}/media/covers/1/b.png",
            f"{SITE}/media/covers/1/a.png",
        ]
        assert data["citation"] == [
            {"@type": "CreativeWork", "name": "City roofs surveyed", "url": "https://example.org/roofs"}
        ]
        assert data["wordCount"] == 330
        assert data["keywords"] == SEO["keywords"]

    @pytest.mark.parametrize(
        ("drawn_by", "kind"),
        [("test-image", "TrainedAlgorithmicMedia"), (DRAWN_BY_STUDIO, "AlgorithmicMedia")],
    )
    def test_an_image_says_whether_a_model_drew_it(self, owner: User, drawn_by: str, kind: str) -> None:
        data = json_ld(finished(owner, image_drawn_by=drawn_by), base_url=SITE)
        assert problems(data) == []
        assert {image["digitalSourceType"] for image in data["image"]} == {f"https://schema.org/{kind}DigitalSource"}

    def test_of_an_image_of_an_older_version_that_is_unknown(self, owner: User) -> None:
        data = json_ld(finished(owner), base_url=SITE)
        assert not any("digitalSourceType" in image for image in data["image"])

    def test_a_faq_makes_it_a_valid_graph(self, owner: User) -> None:
        data = json_ld(finished(owner, seo_meta=SEO | {"faq": FAQ}), base_url=SITE)
        assert problems(data) == []
        article, questions = data["@graph"]
        assert (article["@type"], questions["@type"]) == ("Article", "FAQPage")
        assert questions["mainEntity"][0]["acceptedAnswer"]["text"] == "Up to 11 °C in summer."

    def test_the_schema_of_this_test_finds_what_is_missing(self, owner: User) -> None:
        data = json_ld(finished(owner), base_url=SITE)
        for name in ("headline", "image", "datePublished", "author", "mainEntityOfPage"):
            assert problems({key: value for key, value in data.items() if key != name})
        assert problems(data | {"headline": "x" * 111})
        assert problems(data | {"datePublished": "yesterday"})

    def test_a_headline_is_truncated_at_a_word(self, owner: User) -> None:
        data = json_ld(finished(owner, title="gardening " * 20), base_url=SITE)
        assert data["headline"] == "gardening " * 10 + "gardening…"

    def test_its_page_is_this_sites_or_that_of_the_publishing_site(self, owner: User) -> None:
        article = finished(owner)
        assert json_ld(article, base_url=SITE)["mainEntityOfPage"]["@id"] == SITE + article.get_absolute_url()
        analysis = SeoAnalysis(article)
        assert analysis.json_ld["mainEntityOfPage"]["@id"] == "https://your-site.example/rooftop-gardens-evidence"
        assert problems(analysis.json_ld) == []

    def test_its_publisher_is_that_of_the_settings(self, owner: User, settings: Settings) -> None:
        settings.PUBLISHER = "The Roof Review"
        assert json_ld(finished(owner))["publisher"]["name"] == "The Roof Review"

    def test_an_author_without_a_full_name_is_the_publisher(self, settings: Settings) -> None:
        settings.PUBLISHER = "The Roof Review"
        data = json_ld(finished(UserFactory.create(username="admin")), base_url=SITE)
        assert data["author"] == {"@type": "Organization", "name": "The Roof Review"}
        assert problems(data) == []

    def test_without_a_site_there_are_no_addresses(self, owner: User) -> None:
        assert json_ld(finished(owner)).keys().isdisjoint({"image", "mainEntityOfPage"})

    def test_an_article_without_seo_metadata_has_its_own_fields(self, owner: User) -> None:
        data = json_ld(finished(owner, seo_meta=None, image="", share_image=""), base_url=SITE)
        assert data["headline"] == "Rooftop gardens: what the evidence says"
        assert data.keys().isdisjoint({"description", "keywords", "image"})

    def test_an_address_that_is_no_web_page_is_left_out_of_the_citation(self, owner: User) -> None:
        reference = {"number": 1, "source": 1, "title": "Notes", "url": "javascript:alert(1)", "passages": []}
        data = json_ld(finished(owner, references=[reference, "garbage"]), base_url=SITE)
        assert data["citation"] == [{"@type": "CreativeWork", "name": "Notes"}]
        assert problems(data) == []

    def test_nothing_in_it_can_leave_its_script_element(self, owner: User) -> None:
        hostile = SEO | {"title": HOSTILE, "faq": [{"question": HOSTILE, "answer": HOSTILE}]}
        data = json_ld(finished(owner, title=HOSTILE, seo_meta=hostile), base_url=SITE)
        text = script_safe(data)
        assert not set("<>&\u2028") & set(text)
        assert json.loads(text) == data


class TestOpenGraph:
    def test_it_has_title_description_and_share_image(self, owner: User) -> None:
        data = rows(finished(owner, language="en-GB"))
        assert data["og:type"] == "article"
        assert data["og:title"] == SEO["title"]
        assert data["og:description"] == SEO["meta_description"]
        assert data["og:image"] == f"{SITE}/media/covers/1/b.png"
        assert (data["og:image:width"], data["og:image:height"]) == ("1200", "630")
        assert data["og:image:alt"] == "Beds on a roof"
        assert data["og:locale"] == "en_GB"
        assert data["twitter:card"] == "summary_large_image"

    def test_each_keyword_is_a_tag(self, owner: User) -> None:
        tags = [content for name, content in open_graph(finished(owner)) if name == "article:tag"]
        assert tags == SEO["keywords"]

    def test_the_cover_has_no_size(self, owner: User) -> None:
        data = rows(finished(owner, share_image=""))
        assert data["og:image"] == f"{SITE}/media/covers/1/a.png"
        assert "og:image:width" not in data

    def test_without_an_image_the_preview_is_small(self, owner: User) -> None:
        data = rows(finished(owner, image="", share_image=""))
        assert data["twitter:card"] == "summary"
        assert "og:image" not in data

    @pytest.mark.parametrize(
        ("language", "locale"), [("en", None), ("pt-BR", "pt_BR"), ("zh-Hans", None), ("zh-Hant-TW", "zh_TW")]
    )
    def test_the_locale_is_only_given_if_the_language_names_a_region(
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

    @pytest.mark.parametrize("format", ["html", "pdf", "docx", "epub"])
    def test_its_byline_is_the_full_name_or_the_publisher(self, owner: User, settings: Settings, format: str) -> None:
        settings.PUBLISHER = "The Roof Review"
        admin = UserFactory.create(username="admin")
        for writer, byline in ((owner, "Ada Byron"), (admin, "The Roof Review")):
            text = words(export(document_of(finished(writer, image="")), format), format)
            assert byline in text
            assert "admin" not in text

    def test_its_head_has_metadata_tags_and_structured_data(self, owner: User) -> None:
        article = finished(owner, title="Roofs", image="")
        head = self.head(article)
        metas = {meta.get("property") or meta.get("name"): meta.get("content") for meta in head.metas}
        assert head.texts["title"] == [SEO["title"]]
        assert metas["description"] == SEO["meta_description"]
        assert metas["og:title"] == SEO["title"]
        assert metas["twitter:card"] == "summary"
        assert json.loads(head.texts["script"][0]) == json.loads(json.dumps(json_ld(article)))

    def test_the_faq_of_the_structured_data_is_on_the_page_too(self, owner: User) -> None:
        html = export(document_of(finished(owner, seo_meta=SEO | {"faq": FAQ}, image="")), "html").decode()
        assert "<h3>How much cooler is it?</h3>\n<p>Up to 11 °C in summer.</p>" in html

    def test_hostile_text_is_escaped(self, owner: User) -> None:
        hostile = SEO | {
            "title": HOSTILE,
            "meta_description": HOSTILE,
            "faq": [{"question": HOSTILE, "answer": HOSTILE}],
        }
        head = self.head(finished(owner, title=HOSTILE, seo_meta=hostile, image=""))
        assert len(head.texts["script"]) == 1
        assert json.loads(head.texts["script"][0])["@graph"][1]["mainEntity"][0]["name"] == HOSTILE

    def test_an_article_without_seo_metadata_is_exported(self, owner: User) -> None:
        assert self.head(finished(owner, seo_meta=None, image="")).texts["title"] == [
            "Rooftop gardens: what the evidence says"
        ]
