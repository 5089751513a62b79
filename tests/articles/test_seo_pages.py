"""SEO on the article's page and in the API's result."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from articles.models import Article
from tests.articles.clients import client_of
from tests.articles.seo_articles import BODY, SEO, TEXT, finished, rewrite
from tests.factories import UserFactory, make_processing_article

pytestmark = pytest.mark.django_db

FAQ = [{"question": "How <b>much</b> cooler?", "answer": "Up to 11 °C."}]


def shown(page: Client, article: Article) -> str:
    html = page.get(article.get_absolute_url()).content.decode()
    return html[html.index('id="seo-body"') : html.index('id="image-body"')]


class TestThePanel:
    def test_it_shows_the_score_and_what_passed(self, page: Client, writer: User) -> None:
        panel = shown(page, finished(writer))
        assert "<b>100</b> of 100" in panel
        assert "16 checks passed" in panel
        assert "Fix first" not in panel

    def test_it_shows_what_to_fix_with_its_place_after_an_edit(self, page: Client, writer: User) -> None:
        article = finished(writer)
        rewrite(article, f"{TEXT}\n\n{BODY * 2}")
        panel = shown(page, article)
        assert "Fix first" in panel
        assert "paragraph “The beds of the city grow …”" in panel
        assert "Split this paragraph: over 150 words is hard to read on a screen." in panel

    def test_it_shows_the_faq_previews_and_code_escaped(self, page: Client, writer: User) -> None:
        panel = shown(page, finished(writer, seo_meta=SEO | {"faq": FAQ}))
        assert "How &lt;b&gt;much&lt;/b&gt; cooler?" in panel
        assert 'src="/media/covers/1/b.png"' in panel
        assert "&lt;script type=&quot;application/ld+json&quot;&gt;" in panel
        assert "&lt;meta property=&quot;og:title&quot;" in panel
        assert "https://your-site.example/rooftop-gardens-evidence" in panel
        assert "<script" not in panel

    def test_it_suggests_links_to_other_articles(self, page: Client, writer: User) -> None:
        other = finished(writer, title="How to water", seo_meta=SEO | {"keywords": ["beds of the city"]})
        panel = shown(page, finished(writer))
        assert "beds of the city</q>" in panel
        assert f'href="{other.get_absolute_url()}"' in panel

    def test_it_lists_the_headings_with_their_levels(self, page: Client, writer: User) -> None:
        panel = shown(page, finished(writer))
        assert panel.count('<li class="level-2"') == 3
        assert "104 words" in panel

    def test_there_is_no_score_while_a_run_is_active(self, page: Client, writer: User) -> None:
        article, _ = make_processing_article(writer)
        Article.objects.filter(pk=article.pk).update(content=TEXT, seo_meta=SEO)
        assert "SEO score" not in shown(page, article)

    def test_an_article_without_seo_has_no_score(self, page: Client, writer: User) -> None:
        panel = shown(page, finished(writer, seo_meta=None, seo_optimize=False))
        assert "Not requested" in panel
        assert "SEO score" not in panel


class TestTheResult:
    def test_it_has_everything(self, writer: User) -> None:
        other = finished(writer, title="How to water", seo_meta=SEO | {"keywords": ["beds of the city"]})
        article = finished(writer, seo_meta=SEO | {"faq": FAQ})
        described = client_of(writer).get(f"/api/articles/{article.pk}/result").json()["seo_meta"]
        assert {name: described[name] for name in SEO} == SEO | {"faq": FAQ}
        assert described["primary_keyword"] == "rooftop garden"
        assert described["secondary_keywords"] == ["green roof", "urban heat"]
        assert described["score"] == 98
        assert {"rule", "place", "verdict", "message", "advice"} == described["points"][0].keys()
        assert described["headings"][0] == {"level": 2, "text": "Why a rooftop garden", "words": 104}
        assert (
            described["json_ld"]["@graph"][0]["mainEntityOfPage"]["@id"] == f"http://testserver/articles/{article.pk}/"
        )
        assert {"property": "og:image", "content": "http://testserver/media/covers/1/b.png"} in described["open_graph"]
        (link,) = described["internal_links"]
        assert (link["article_id"], link["url"]) == (other.pk, f"http://testserver/articles/{other.pk}/")

    def test_it_is_null_without_metadata(self, writer: User) -> None:
        article = finished(writer, seo_meta=None)
        assert client_of(writer).get(f"/api/articles/{article.pk}/result").json()["seo_meta"] is None

    def test_links_are_only_to_the_owners_articles(self, writer: User) -> None:
        finished(UserFactory.create(), title="Theirs", seo_meta=SEO | {"keywords": ["beds of the city"]})
        article = finished(writer)
        assert client_of(writer).get(f"/api/articles/{article.pk}/result").json()["seo_meta"]["internal_links"] == []
