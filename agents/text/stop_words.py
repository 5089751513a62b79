"""Stop words by language: words such as "the" and "how" that say nothing about what a text is about."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

_ALIASES = {"nb": "no", "nn": "no"}


@cache
def stop_words(language: str) -> frozenset[str]:
    """Stop words of ``language``, a BCP 47 tag, in lower case; empty if it is unknown or there is no list.

    English is from bm25s: the list of stopwordsiso has 1,298 words, among them "computer", "fire" and "system".
    """
    code = language.partition("-")[0].lower()
    if code == "en":
        from bm25s.stopwords import STOPWORDS_EN_PLUS  # takes 0.3 s

        return frozenset(STOPWORDS_EN_PLUS).union(("main", "many", "much"))
    from stopwordsiso import stopwords

    return frozenset(word.casefold() for word in stopwords(_ALIASES.get(code, code)))


def likely_language(words: Iterable[str], languages: Iterable[str]) -> str:
    """The one of ``languages`` with the most stop words among ``words``; empty if none has one.

    For questions, which are too short for the detection of ``agents.text.language``.
    """
    found = list(words)
    counts = {language: sum(word in stop_words(language) for word in found) for language in sorted(set(languages))}
    best = max(counts, key=lambda language: counts[language], default="")
    return best if counts.get(best) else ""
