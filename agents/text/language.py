"""Detects the language of a text: of a source, and of what a model wrote, which may not be in the language of the brief."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from agents.contract import Reading
from agents.text.citations import strip_unknown_marks
from agents.text.markdown import split_code
from agents.text.syntax import FOOTNOTE
from agents.text.tokenizer import count_plain_words, sentences

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

MIN_WORDS = 20
SAMPLE_CHARACTERS = 5000  # of a document, to detect its language
_SURE, _LIKELY = 0.9, 0.5

_CLOSE = [
    *({"no", "nb", "nn", "da"}, {"id", "ms"}, {"hr", "sr", "bs"}),
    *({"zh", "yue", "wuu"}, {"ar", "ary", "arz"}, {"el", "grc"}, {"he", "hbo"}, {"en", "pcm"}, {"lv", "ltg"}),
]
"""Languages so similar that a short text of one is taken for the other; dialects and older forms of one."""

_FOREIGN = re.compile(
    r"„[^„“”]*[“”]|“[^“”]*”|«[^«»]*»|「[^「」]*」|『[^『』]*』|(?<!\w)\"[^\"]*\""  # quotations
    rf"|\]\([^()\s]*\)|<?https?://\S+|{FOOTNOTE}"  # addresses and footnotes
)


def preload() -> None:
    """Load the model: 0.6 s of CPU, and 70 MB that processes forked later share."""
    _identifier()


@lru_cache(maxsize=128)  # 4 ms for a section, and most are checked again, unchanged, when the article is finished
def is_in_language(text: str, language: str) -> bool | None:
    """Whether ``text`` is in ``language``, a BCP 47 tag; None if that is uncertain, as for a short text.

    Similar languages count as one: Norwegian and Danish, Indonesian and Malay, Croatian, Serbian and Bosnian. So do regional
    and script variants. Code, marks and quotations are ignored, and names if enough text remains without them.
    """
    probabilities = _probabilities(text)
    wanted = language.partition("-")[0].lower()
    if not _similar_to(wanted) & probabilities.keys():
        return None
    if _probability(wanted, probabilities) >= _LIKELY:
        return True
    return False if max(_probability(tag, probabilities) for tag in probabilities) >= _SURE else None


@lru_cache(maxsize=64)
def detect_language(text: str) -> str:
    """The language tag of ``text`` by its first characters, such as ``de``; empty if that is uncertain."""
    probabilities = _probabilities(text[:SAMPLE_CHARACTERS])
    best = max(probabilities, key=lambda tag: probabilities[tag], default="")
    return best if best and _probability(best, probabilities) >= _SURE else ""


def languages_of(reading: Reading) -> list[str]:
    """The languages of the sources, the one with the most words first. Sources of unknown language do not count."""
    words = Counter[str]()
    for source in reading.sources:
        if source.language:
            words[source.language] += source.words
    return [language for language, _ in words.most_common()]


def _similar_to(tag: str) -> set[str]:
    return next((group for group in _CLOSE if tag in group), {tag})


def _probability(tag: str, probabilities: Mapping[str, float]) -> float:
    return sum(probabilities.get(similar, 0.0) for similar in _similar_to(tag))


def _probabilities(text: str) -> dict[str, float]:
    """The probability of each known language; empty for a text that is too short."""
    prose = strip_unknown_marks("".join(piece for piece, is_code in split_code(text) if not is_code), ())
    own = _FOREIGN.sub(" ", prose)
    if count_plain_words(own) < MIN_WORDS:
        return {}
    without_names = _without_names(own)
    sample = without_names if count_plain_words(without_names) >= MIN_WORDS else own
    return dict(_identifier().rank(sample))


def _without_names(text: str) -> str:
    """``text`` without capitalised words, except the first of each sentence. In German this removes nouns, too."""
    kept = []
    for start, end in sentences(text):
        first, *others = text[start:end].split() or [""]
        kept += [first, *(word for word in others if not any(map(str.isupper, word)))]
    return " ".join(kept)


@cache
def _identifier() -> LanguageIdentifier:
    # Imports numpy, which takes half a second: only when it is needed.
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
