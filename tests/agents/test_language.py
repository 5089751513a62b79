"""The language of a text is detected, for every language the brief form offers."""

from __future__ import annotations

import subprocess
import sys

import pytest

from agents.text.language import is_in_language
from articles.forms.languages import LANGUAGES
from tests.agents.fixtures.declaration import FIRST_ARTICLE

CLOSE = [{"nb", "da"}, {"hr", "sr"}, {"zh-Hans", "zh-Hant"}]
ENGLISH, GERMAN, VIETNAMESE = FIRST_ARTICLE["en"], FIRST_ARTICLE["de"], FIRST_ARTICLE["vi"]


@pytest.mark.parametrize("tag", LANGUAGES)
def test_every_language_on_offer_is_known_and_distinguished_from_all_others(tag: str):
    text = FIRST_ARTICLE.get(tag) or FIRST_ARTICLE[tag.partition("-")[0]]

    assert is_in_language(text, tag) is True
    taken_for = {other for other in FIRST_ARTICLE if is_in_language(text, other) is not False}
    close = next((group for group in CLOSE if tag in group), set())
    assert taken_for <= close | {tag, tag.partition("-")[0]}


def test_an_english_text_for_a_vietnamese_brief_is_noticed():
    assert is_in_language(ENGLISH, "vi") is False
    assert is_in_language(VIETNAMESE, "vi") is True


@pytest.mark.parametrize("tag", ["en-GB", "EN", "en-Latn-US"])
def test_regions_and_scripts_of_a_language_are_the_same_language(tag: str):
    assert is_in_language(ENGLISH, tag) is True


@pytest.mark.parametrize(
    "text", ["", "Free and equal in dignity.", "```\n" + ENGLISH + "\n```", f"“{ENGLISH}”", "1 2 3 " * 20]
)
def test_too_little_prose_tells_nothing(text: str):
    assert is_in_language(text, "en") is None


def test_a_language_nobody_taught_it_tells_nothing():
    assert is_in_language(ENGLISH, "tlh") is None


def test_marks_code_quotations_and_addresses_do_not_mislead():
    foreign = (
        f"```python\n{'for line in the_file_of_words: print(line)' * 9}\n```\n\n"
        f"Er schrieb: „{ENGLISH}“ [S1, S2]. `{'the quick brown fox ' * 9}`\n\n"
        f"[mehr](https://example.org/{'all-human-beings-are-born-free/' * 9}) <https://example.org/and-equal> [^1]"
    )
    assert is_in_language(f"{GERMAN} [S3]\n\n{foreign}", "de") is True


def test_foreign_names_do_not_mislead():
    names = (
        "The Lord of the Rings, Pride and Prejudice, The Old Man and the Sea, Great Expectations, Wuthering Heights,"
        " The Grapes of Wrath, Gone with the Wind, Brave New World, The Catcher in the Rye, Far from the Madding Crowd,"
        " Heart of Darkness, The Sound and the Fury, Through the Looking-Glass, The Picture of Dorian Gray, Around the World"
        " in Eighty Days, Journey to the Centre of the Earth, The Strange Case of Doctor Jekyll and Mister Hyde, Stranger"
        " Things, United Nations Educational, Scientific and Cultural Organization, Massachusetts Institute of Technology"
    )
    assert is_in_language(f"{FIRST_ARTICLE['es']} {names}.", "es") is True
    assert is_in_language(f"{FIRST_ARTICLE['tr']} {names}.", "tr") is True


def test_half_one_language_and_half_another_is_not_taken_for_a_third():
    assert is_in_language(f"{ENGLISH} {GERMAN}", "fr") is not True


def test_nothing_heavy_is_loaded_until_a_text_is_looked_at():
    program = (
        "import sys, agents.text.language as language\n"
        "assert not {'numpy', 'py3langid'} & set(sys.modules)\n"
        "language.preload()\n"
        "assert 'py3langid' in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
