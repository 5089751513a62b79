"""Which language a text is in, as far as that can be told, so that a Vietnamese brief does not get an English article."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from agents.text.citations import strip_unknown_marks
from agents.text.markdown import split_code
from agents.text.tokenizer import count_words, sentences

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

FEWEST_WORDS = 20
_SURE, _LIKELY = 0.9, 0.5

_CLOSE = [
    *({"no", "nb", "nn", "da"}, {"id", "ms"}, {"hr", "sr", "bs"}),
    *({"zh", "yue", "wuu"}, {"ar", "ary", "arz"}, {"el", "grc"}, {"he", "hbo"}, {"en", "pcm"}, {"lv", "ltg"}),
]
"""Languages so alike that a short text of one is taken for the other; dialects and older forms of one."""

_FOREIGN = re.compile(
    r"„[^„“”]*[“”]|“[^“”]*”|«[^«»]*»|「[^「」]*」|『[^『』]*』|(?<!\w)\"[^\"]*\""  # quotations
    r"|\]\([^()\s]*\)|<?https?://\S+|\[\^[^\]]*\]"  # addresses and notes
)


def preload() -> None:
    """Load the model: 0.6 s of CPU, and 70 MB that processes forked later share."""
    _identifier()


@lru_cache(maxsize=128)  # 4 ms for a section, and most are looked at again, unchanged, when the article is finished
def is_in_language(text: str, language: str) -> bool | None:
    """Whether ``text`` is in ``language``, a BCP 47 tag; None where that cannot be told.

    Close languages count as one: Norwegian and Danish, Indonesian and Malay, Croatian, Serbian and Bosnian. So do regions
    and scripts of a language. Code, marks and quotations are not looked at, nor names where enough is left without them.
    """
    chances = _chances(text)
    wanted = language.partition("-")[0].lower()
    if not _close_to(wanted) & chances.keys():
        return None
    if _chance(wanted, chances) >= _LIKELY:
        return True
    return False if max(_chance(tag, chances) for tag in chances) >= _SURE else None


def _close_to(tag: str) -> set[str]:
    return next((group for group in _CLOSE if tag in group), {tag})


def _chance(tag: str, chances: Mapping[str, float]) -> float:
    return sum(chances.get(close, 0.0) for close in _close_to(tag))


def _chances(text: str) -> dict[str, float]:
    """How likely ``text`` is in each language known; empty where it is too short to tell."""
    prose = strip_unknown_marks("".join(piece for piece, is_code in split_code(text) if not is_code), ())
    own = _FOREIGN.sub(" ", prose)
    if count_words(own) < FEWEST_WORDS:
        return {}
    without_names = _without_names(own)
    told = without_names if count_words(without_names) >= FEWEST_WORDS else own
    return dict(_identifier().rank(told))


def _without_names(text: str) -> str:
    """``text`` without capitalised words but the first of each sentence. German can spare its nouns, too."""
    kept = []
    for start, end in sentences(text):
        first, *others = text[start:end].split() or [""]
        kept += [first, *(word for word in others if not any(map(str.isupper, word)))]
    return " ".join(kept)


@cache
def _identifier() -> LanguageIdentifier:
    from py3langid.langid import (
        MODEL_FILE,
        LanguageIdentifier,
    )  # numpy, and half a second: not for whoever only imports this

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
