"""The built-in writer names the article: title, slug, keywords, description and image."""

from __future__ import annotations

import pytest

from agents import extractive
from agents.contract import SEO, Reading
from agents.extractive.material import Quote
from agents.extractive.naming import keywords, name_sections, title_of
from agents.text.citations import compile_references
from agents.text.seo import fit_seo
from tests.agents.extractive_texts import (
    GERMAN,
    ROOFS,
    brief,
    cut,
    outline_for,
    written,
)


def test_seo_fields_are_made_of_the_article() -> None:
    passages = cut(ROOFS)
    asked = brief(keywords=["green roof", "elephants"])
    outline = outline_for(asked, passages, 3)
    texts = zip(outline.sections, written(asked, outline, passages), strict=True)
    body = "\n\n".join(f"## {section.heading}\n\n{text}" for section, text in texts)
    text = compile_references(body, Reading())[0]
    described = extractive.describe_seo(asked, outline.title, text)
    seo = fit_seo(SEO(**described.model_dump()), title=outline.title, text=text)
    assert seo.title == "How rooftop gardens cool cities"
    assert seo.slug == "how-rooftop-gardens-cool-cities"
    assert 120 <= len(seo.meta_description) <= 160
    assert seo.meta_description.rstrip("…") in ROOFS.replace("\n", " ")
    assert seo.keywords[0] == "green roof"
    assert "elephants" not in seo.keywords
    assert 3 <= len(seo.keywords) <= 10


@pytest.mark.parametrize(
    ("title", "slug"),
    [
        ("Vườn trên mái ở Đà Nẵng", "vuon-tren-mai-o-da-nang"),
        ("Große Höfe & Łódź", "grosse-hofe-lodz"),
        ("屋顶花园", "屋顶花园"),
        ("!!! ???", "article"),
        ("word " * 30, "word-word-word-word-word-word"),
    ],
)
def test_a_slug_is_made_of_any_title(title: str, slug: str) -> None:
    seo = extractive.describe_seo(brief(), title, "")
    assert seo.slug == slug
    assert seo.keywords == ["How rooftop gardens cool cities"]


def test_a_picture_is_described_by_title_and_headings() -> None:
    outline = outline_for(brief(), cut(ROOFS), 3)
    picture = extractive.picture_prompt(brief(), outline)
    assert outline.sections[1].heading in picture.prompt
    assert picture.alt == "Cover of the article “How rooftop gardens cool cities”"


@pytest.mark.parametrize(
    ("topic", "title"),
    [
        ("why do bees dance?", "Why do bees dance?"),
        ("What NASA knows about Mars", "What NASA knows about Mars"),
        ("  <b>bold</b> [claims]. ", "B bold /b claims"),
        ("******", "******"),
    ],
)
def test_the_title_is_the_topic(topic: str, title: str) -> None:
    assert title_of(topic) == title


def test_a_long_topic_is_cut_at_a_word() -> None:
    title = title_of("gardening " * 40)
    assert len(title) <= 120
    assert title.endswith("gardening…")


def test_keywords_of_german_text_are_nouns() -> None:
    assert keywords(GERMAN, (), "de") == ["Erde", "Dach"]


def test_a_heading_above_little_of_a_section_does_not_name_it() -> None:
    texts = [f"Roof number {number} of the town holds back rain." for number in range(8)]
    quotes = [Quote(text, "S1", 1, "The study of Smith" if text is texts[-1] else "") for text in texts]
    assert name_sections([quotes], quotes, "Roofs") == ["Roof number 0 of the town holds back rain"]
    assert name_sections([quotes[-3:]], quotes, "Roofs") == ["The study of Smith"]
