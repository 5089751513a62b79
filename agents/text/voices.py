"""A voice as the writer and the editor are told it, and whether a text keeps to it."""

from __future__ import annotations

import re
import unicodedata
from itertools import islice

from agents.contract import Voice
from agents.prompts import config
from agents.text.tokenizer import CJK, WORD

SAMPLES, SAMPLE_WORDS = 2, 150
"""How many samples a prompt shows, and how much of each: enough to hear a voice, little beside the passages."""

_HYPHEN = re.compile("(?<=\\w)[-‐‑](?=\\w)")

SPACELESS = re.compile(f"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff{CJK}]")
"""Thai, Lao, Burmese, Khmer, Chinese and Japanese put no space between words, so what is around one does not tell its end."""


def voice_instructions(voice: Voice | None) -> str:
    """What a prompt says of ``voice``; empty where the brief names none."""
    if voice is None:
        return ""
    words = config("voice")
    parts = [words["name"].format(name=voice.name)]
    if voice.description:
        parts.append(words["description"].format(description=voice.description))
    if samples := voice.samples[:SAMPLES]:
        parts += [words["samples"], *(words["sample"].format(sample=shortened_sample(sample)) for sample in samples)]
    if voice.prefer:
        parts.append(words["prefer"].format(words=", ".join(voice.prefer)))
    if voice.avoid:
        parts.append(words["avoid"].format(words=", ".join(voice.avoid)))
    return "\n".join(parts)


def shortened_sample(sample: str) -> str:
    """The first words of a text, its line breaks kept."""
    beyond = next(islice(WORD.finditer(sample), SAMPLE_WORDS, None), None)
    return f"{sample[: beyond.start()].rstrip()} …" if beyond else sample


def avoided_words_in(text: str, voice: Voice | None) -> list[str]:
    """The words and phrases ``voice`` avoids that occur in ``text``: whole words, in any case, over line breaks too."""
    folded = normalize(text)
    return [phrase for phrase in voice.avoid if contains_phrase(normalize(phrase), folded)] if voice else []


def normalize(text: str) -> str:
    """``text`` as it is compared: without case, soft hyphens and kinds of apostrophes, hyphens as the spaces they stand for."""
    return _HYPHEN.sub(" ", unicodedata.normalize("NFC", text).casefold().replace("’", "'").replace("\u00ad", ""))


def contains_phrase(phrase: str, text: str) -> bool:
    """Whether ``phrase`` stands somewhere in ``text`` as words of its own."""
    pattern = r"\s+".join(map(re.escape, phrase.split()))
    found = re.finditer(pattern, text)
    return any(not is_within_word(text, match.start()) and not is_within_word(text, match.end()) for match in found)


def is_within_word(text: str, at: int) -> bool:
    """Whether the characters before and after ``at`` belong to one word."""
    return 0 < at < len(text) and all(is_word_character(character) for character in text[at - 1 : at + 1])


def is_word_character(character: str) -> bool:
    """Letters, digits, and the marks written onto them, but of no script that runs its words together."""
    return unicodedata.category(character)[0] in "LMN" and not SPACELESS.match(character)
