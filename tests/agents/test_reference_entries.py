"""Entries of the list of references, in the language of the article."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from agents.contract import Source
from agents.prompts import config
from agents.text.locales import long_date
from agents.text.reference_entries import page_link, page_numbers, reference_entry
from agents.text.reference_words import ReferenceWords, reference_words
from articles.forms.languages import LANGUAGES

KNOWN = {"title": "Heat pumps", "publisher": "Institut", "author": "A. Writer", "date": "2024-05-31"}


def source(**more: Any) -> Source:
    return Source(
        number=1, read_at=datetime(2026, 11, 29, tzinfo=UTC), sha256="0" * 64, **{"title": "Heat pumps", **more}
    )


@pytest.mark.parametrize(
    ("language", "entry"),
    [
        ("en", "Heat pumps. Institut, A. Writer, 31 May 2024. <https://a.example/b.pdf#page=4>. p. 4."),
        ("en-US", "Heat pumps. Institut, A. Writer, May 31, 2024. <https://a.example/b.pdf#page=4>. p. 4."),
        ("de", "Heat pumps. Institut, A. Writer, 31. Mai 2024. <https://a.example/b.pdf#page=4>. S. 4."),
        ("fr-CH", "Heat pumps. Institut, A. Writer, 31 mai 2024. <https://a.example/b.pdf#page=4>. p. 4."),
        ("ja", "Heat pumps。Institut、A. Writer、2024年5月31日。<https://a.example/b.pdf#page=4>。4ページ。"),
        ("ru", "Heat pumps. Institut, A. Writer, 31 мая 2024\u202fг. <https://a.example/b.pdf#page=4>. с. 4."),
        ("hu", "Heat pumps. Institut, A. Writer, 2024. május 31. <https://a.example/b.pdf#page=4>. 4. o."),
        ("xx", "Heat pumps. Institut, A. Writer, 31 May 2024. <https://a.example/b.pdf#page=4>. p. 4."),
    ],
)
def test_an_entry_has_title_publisher_author_date_link_and_page(language: str, entry: str) -> None:
    assert reference_entry(source(**KNOWN, url="https://a.example/b.pdf"), [4], language) == entry


@pytest.mark.parametrize(
    ("known", "entry"),
    [
        ({"publisher": "Institut"}, "Heat pumps. Institut."),
        ({"date": "2024"}, "Heat pumps. 2024."),
        ({"date": "spring 2024"}, "Heat pumps. Spring 2024."),
        ({"publisher": "Institut", "author": "Institut"}, "Heat pumps. Institut."),
        ({"url": "https://a.example"}, "Heat pumps. Abgerufen am 29. November 2026. <https://a.example>."),
        ({"url": "https://a.example", "date": "2024-05"}, "Heat pumps. Mai 2024. <https://a.example>."),
        ({"title": "Was hilft?", "author": "B."}, "Was hilft? B."),
        ({"title": " ", "author": "B."}, "Ohne Titel. B."),
        ({"brief_source": 4}, "Heat pumps. Mit dem Auftrag übergeben, gelesen am 29. November 2026."),
        ({}, "Heat pumps. Abgerufen am 29. November 2026."),
    ],
)
def test_an_entry_says_when_a_source_was_read_only_if_nothing_better_is_known(
    known: dict[str, Any], entry: str
) -> None:
    assert reference_entry(source(**known), [], "de") == entry


@pytest.mark.parametrize("field", ["title", "publisher", "author", "date"])
def test_what_a_page_says_of_itself_cannot_become_markup(field: str) -> None:
    hostile = "[x](javascript:alert(1)) <b> *y*\n\n# z \u202e"
    entry = reference_entry(source(**{"publisher": "P", field: hostile}), [], "en")
    assert "\\[x\\](javascript:alert(1)) \\<b\\> \\*y\\* # z" in entry
    assert "\n" not in entry
    assert "\u202e" not in entry


def test_an_unsafe_address_is_no_link() -> None:
    assert reference_entry(source(publisher="P", url="javascript:alert(1)"), [4], "en") == "Heat pumps. P. p. 4."


@pytest.mark.parametrize(
    ("pages", "shown"),
    [([], ""), ([4], "p. 4"), ([4, 4], "p. 4"), ([17, 4], "pp. 4, 17"), ([9, 7, 8, 2], "pp. 2, 7–9")],
)
def test_pages_are_listed_in_order(pages: list[int], shown: str) -> None:
    assert page_numbers(pages, reference_words("en")) == shown


def test_a_link_leads_to_the_page_unless_it_names_a_place() -> None:
    assert page_link("https://a.example/b.pdf", 17) == "https://a.example/b.pdf#page=17"
    assert page_link("https://a.example/b.pdf#part2", 17) == "https://a.example/b.pdf#part2"
    assert page_link("https://a.example/b", 0) == "https://a.example/b"
    assert page_link("", 17) == ""


@pytest.mark.parametrize(
    ("stated", "language", "shown"),
    [
        ("2024-05-31", "de", "31. Mai 2024"),
        ("2024-05-31T10:00:00Z", "de", "31. Mai 2024"),
        ("2024-05", "pl", "maj 2024"),
        ("2024", "de", "2024"),
        ("2024-13-01", "de", "2024-13-01"),
        ("Frühjahr 2024", "de", "Frühjahr 2024"),
        ("2024-05-31", "zh-Hant", "2024年5月31日"),
        ("2024-05-31", "not a tag", "31 May 2024"),
    ],
)
def test_a_date_is_written_as_the_language_does(stated: str, language: str, shown: str) -> None:
    assert long_date(stated, language) == shown


def test_every_language_of_the_brief_form_has_its_own_words() -> None:
    english = reference_words("en")
    missing = [tag for tag in LANGUAGES if not tag.startswith("en") and reference_words(tag) == english]
    assert missing == []


def test_the_words_have_places_for_numbers_and_dates() -> None:
    with_places = ("page", "pages", "accessed", "given", "reference", "back")
    for tag, entries in config("references").items():
        words = ReferenceWords.model_validate(entries)
        assert [name for name in with_places if getattr(words, name).count("{}") != 1] == [], tag


@pytest.mark.parametrize(
    ("tag", "heading"),
    [
        ("de-AT", "Quellen"),
        ("zh-TW", "參考資料"),
        ("zh", "参考资料"),
        ("nn", "Kilder"),
        ("sr-Latn-RS", "Izvori"),
        ("xx", "References"),
    ],
)
def test_a_regional_tag_gets_the_words_of_its_language(tag: str, heading: str) -> None:
    assert reference_words(tag).heading == heading
