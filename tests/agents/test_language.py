"""Detection of the language of a text, for every language of the brief form."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime

import pytest

from agents.contract import Reading, Source
from agents.text.language import detect_language, is_in_language, languages_of
from articles.forms.languages import LANGUAGES
from tests.agents.fixtures.declaration import FIRST_ARTICLE

CLOSE = [{"nb", "da"}, {"hr", "sr"}, {"zh-Hans", "zh-Hant"}]
ENGLISH, GERMAN, VIETNAMESE = FIRST_ARTICLE["en"], FIRST_ARTICLE["de"], FIRST_ARTICLE["vi"]


@pytest.mark.parametrize("tag", LANGUAGES)
def test_every_language_of_the_form_is_detected(tag: str) -> None:
    text = FIRST_ARTICLE.get(tag) or FIRST_ARTICLE[tag.partition("-")[0]]

    assert is_in_language(text, tag) is True
    taken_for = {other for other in FIRST_ARTICLE if is_in_language(text, other) is not False}
    close = next((group for group in CLOSE if tag in group), set())
    assert taken_for <= close | {tag, tag.partition("-")[0]}


def test_an_english_text_for_a_vietnamese_brief_is_detected() -> None:
    assert is_in_language(ENGLISH, "vi") is False
    assert is_in_language(VIETNAMESE, "vi") is True


@pytest.mark.parametrize("tag", ["en-GB", "EN", "en-Latn-US"])
def test_regions_and_scripts_of_a_language_are_the_same_language(tag: str) -> None:
    assert is_in_language(ENGLISH, tag) is True


@pytest.mark.parametrize(
    "text", ["", "Free and equal in dignity.", "```\n" + ENGLISH + "\n```", f"“{ENGLISH}”", "1 2 3 " * 20]
)
def test_short_texts_are_not_detected(text: str) -> None:
    assert is_in_language(text, "en") is None


def test_unknown_languages_are_not_detected() -> None:
    assert is_in_language(ENGLISH, "tlh") is None


def test_marks_code_quotations_and_urls_are_ignored() -> None:
    foreign = (
        f"```python\n{'for line in the_file_of_words: print(line)' * 9}\n```\n\n"
        f"Er schrieb: „{ENGLISH}“ [S1, S2]. `{'the quick brown fox ' * 9}`\n\n"
        f"[mehr](https://example.org/{'all-human-beings-are-born-free/' * 9}) <https://example.org/and-equal> [^1]"
    )
    assert is_in_language(f"{GERMAN} [S3]\n\n{foreign}", "de") is True


def test_foreign_names_do_not_change_the_result() -> None:
    names = (
        "The Lord of the Rings, Pride and Prejudice, The Old Man and the Sea, Great Expectations, Wuthering Heights,"
        " The Grapes of Wrath, Gone with the Wind, Brave New World, The Catcher in the Rye, Far from the Madding Crowd,"
        " Heart of Darkness, The Sound and the Fury, Through the Looking-Glass, The Picture of Dorian Gray, Around the World"
        " in Eighty Days, Journey to the Centre of the Earth, The Strange Case of Doctor Jekyll and Mister Hyde, Stranger"
        " Things, United Nations Educational, Scientific and Cultural Organization, Massachusetts Institute of Technology"
    )
    assert is_in_language(f"{FIRST_ARTICLE['es']} {names}.", "es") is True
    assert is_in_language(f"{FIRST_ARTICLE['tr']} {names}.", "tr") is True


def test_a_text_in_two_languages_is_not_detected_as_a_third() -> None:
    assert is_in_language(f"{ENGLISH} {GERMAN}", "fr") is not True


def test_the_models_are_loaded_on_first_use() -> None:
    program = (
        "import sys, agents.text.language as language\n"
        "assert not {'numpy', 'py3langid'} & set(sys.modules)\n"
        "language.preload()\n"
        "assert 'py3langid' in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


class TestSources:
    def test_the_language_of_a_document_is_detected_by_its_beginning(self) -> None:
        english = (
            "The heat pump kept an old house warm through a winter that was colder than those of the years before. "
        )
        german = "Die Wärmepumpe hielt ein altes Haus durch einen Winter warm, der kälter war als die Winter der Jahre davor. "
        assert detect_language(english) == "en"
        assert detect_language(german * 60 + english * 100) == "de"

    @pytest.mark.parametrize("text", ["", "Heat pumps", "12 34 56 " * 20])
    def test_it_stays_empty_if_it_is_uncertain(self, text: str) -> None:
        assert detect_language(text) == ""

    def test_languages_are_ordered_by_words_read(self) -> None:
        read = [("en", 500), ("de", 300), ("", 5000), ("de", 400)]
        sources = [
            Source(number=n, title="", read_at=datetime(2026, 11, 1, tzinfo=UTC), sha256="", language=tag, words=words)
            for n, (tag, words) in enumerate(read, 1)
        ]
        assert languages_of(Reading(sources=sources)) == ["de", "en"]
        assert languages_of(Reading()) == []
