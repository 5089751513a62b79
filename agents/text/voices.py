"""The prompt text for a voice, and whether a text avoids the words that voice avoids."""

from __future__ import annotations

import re
import unicodedata
from itertools import islice

from agents.contract import Voice
from agents.prompts import config
from agents.text.quoting import quote
from agents.text.tokenizer import CJK, UNSPACED, WORD

SAMPLES, SAMPLE_WORDS = 2, 150
"""Samples a prompt shows, and words of each: enough to convey a voice, little compared with the passages."""

_HYPHEN = re.compile("(?<=\\w)[-‐‑](?=\\w)")

SPACELESS = re.compile(f"[{UNSPACED}{CJK}]")
"""Thai, Lao, Burmese, Khmer, Chinese and Japanese put no spaces between words, so the end of a word cannot be detected."""


def voice_instructions(voice: Voice | None) -> str:
    """The part of a prompt that describes ``voice``; empty if there is none."""
    if voice is None:
        return ""
    words = config("voice")
    parts = [words["name"].format(name=voice.name)]
    if voice.description:
        parts.append(words["description"].format(description=voice.description))
    if samples := voice.samples[:SAMPLES]:
        parts += [words["samples"], *(quote(shortened_sample(sample)) for sample in samples)]
    if voice.prefer:
        parts.append(words["prefer"].format(words=", ".join(voice.prefer)))
    if voice.avoid:
        parts.append(words["avoid"].format(words=", ".join(voice.avoid)))
    return "\n".join(parts)


def shortened_sample(sample: str) -> str:
    """The first words of a text, with its line breaks."""
    beyond = next(islice(WORD.finditer(sample), SAMPLE_WORDS, None), None)
    return f"{sample[: beyond.start()].rstrip()} …" if beyond else sample


def avoided_words_in(text: str, voice: Voice | None) -> list[str]:
    """The words and phrases ``voice`` avoids that occur in ``text``: as whole words, in any case, also across lines."""
    folded = normalize(text)
    return [phrase for phrase in voice.avoid if contains_phrase(normalize(phrase), folded)] if voice else []


def normalize(text: str) -> str:
    """``text`` for comparison: case-folded, without soft hyphens, with one kind of apostrophe, hyphens as spaces."""
    return _HYPHEN.sub(" ", unicodedata.normalize("NFC", text).casefold().replace("’", "'").replace("\u00ad", ""))


def contains_phrase(phrase: str, text: str) -> bool:
    """Whether ``text`` contains ``phrase`` as whole words."""
    pattern = r"\s+".join(map(re.escape, phrase.split()))
    found = re.finditer(pattern, text)
    return any(not is_within_word(text, match.start()) and not is_within_word(text, match.end()) for match in found)


def is_within_word(text: str, at: int) -> bool:
    """Whether the characters before and after ``at`` belong to one word."""
    return 0 < at < len(text) and all(is_word_character(character) for character in text[at - 1 : at + 1])


def is_word_character(character: str) -> bool:
    """Whether ``character`` is a letter, digit or combining mark of a script that separates words."""
    return unicodedata.category(character)[0] in "LMN" and not SPACELESS.match(character)
