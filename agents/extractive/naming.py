"""Titles, headings and keywords, in words of the topic and the sources."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence

from agents.extractive.material import Quote
from agents.extractive.terms import function_words, stem, words

_SHORTEST_TITLE, _LONGEST_TITLE = 5, 120
_LONGEST_HEADING = 80
_SMALL = frozenset(
    ["a", "an", "and", "as", "at", "but", "by", "for", "from", "in", "nor", "of", "on", "or", "the", "to", "vs", "with"]
)
# Words that precede nouns. Other languages use all function words.
_BEFORE_NOUNS = {
    "en": "the a an this these those its their his her our your each every some no of in on with from for by at into between",
    "fr": "le la les un une des du de l d ce cet cette ces son sa ses leur leurs chaque dans sur avec pour par sans",
    "es": "el la los las un una unos unas de del al este esta estos estas su sus cada en con por para sin",
    "it": "il lo la i gli le un uno una di del della dei delle degli nel nella questo questa suo sua ogni in con per su",
    "pt": "o a os as um uma de do da dos das no na nos nas este esta seu sua cada em com por para sem",
    "nl": "de het een van in op met voor door deze dit die dat zijn haar hun elke iedere",
}
# Headings that do not describe what is below them.
_EMPTY = frozenset(
    [
        "introduction",
        "conclusion",
        "conclusions",
        "summary",
        "references",
        "contents",
        "abstract",
        "overview",
        "notes",
        "faq",
    ]
)
_MARKUP = re.compile(r"[\\`*_\[\]<>|~^$@#{}]")
_CLAUSE = re.compile(r"[^\w\s'’-]+")
_NUMBER = re.compile(r"^\d+(\.\d+)*[.)]?\s+")


def title_of(topic: str, language: str) -> str:
    """The topic as a title: in title case in English, else with the first letter capitalised."""
    plain = " ".join(_MARKUP.sub(" ", topic).split()).rstrip(" .;:,")
    title = clip(plain if len(plain) >= _SHORTEST_TITLE else " ".join(topic.split()), _LONGEST_TITLE)
    first, *others = title.split(" ")
    if _base(language) == "en" and title[1:] == title[1:].lower() and not title.endswith("?"):
        others = [word if word in _SMALL else word[:1].upper() + word[1:] for word in others]
    return " ".join([first[:1].upper() + first[1:], *others])


def clip(text: str, limit: int) -> str:
    """``text`` in at most ``limit`` characters, cut after a word with an ellipsis."""
    if len(text) <= limit:
        return text
    cut = text[: limit - 1]
    whole = cut if text[limit - 1].isspace() else cut.rpartition(" ")[0]
    return (whole or cut).rstrip(" ,;:.–—-") + "…"


def name_sections(shares: Sequence[Sequence[Quote]], title: str) -> list[str]:
    """A distinct heading for each share: one of the source, else its most typical short sentence."""
    taken = {_stems(title)}
    named = []
    for share in shares:
        candidates = [*own_headings(share), *_typical_sentences(share)]
        heading = next((heading for heading in candidates if _stems(heading) not in taken), candidates[-1])
        taken.add(_stems(heading))
        named.append(heading)
    return named


def own_headings(share: Sequence[Quote]) -> list[str]:
    """The headings above the quotes in their sources, those with the most words below them first."""
    amounts = Counter[str]()
    for quote in share:
        heading = _NUMBER.sub("", " ".join(_MARKUP.sub(" ", quote.heading).split()))
        if 3 <= len(heading) <= _LONGEST_HEADING and heading.casefold() not in _EMPTY:
            amounts[heading] += quote.words
    return [heading for heading, _ in amounts.most_common()]


def _typical_sentences(share: Sequence[Quote]) -> list[str]:
    """Sentences short enough for a heading, those with the most frequent terms first; others are cut."""
    counts = Counter(term for quote in share for term in quote.terms)
    ranked = sorted(
        share,
        key=lambda quote: (len(quote.text) > _LONGEST_HEADING, -sum(counts[term] for term in set(quote.terms))),
    )
    return [clip(quote.text, _LONGEST_HEADING).rstrip(".") for quote in ranked]


def keywords(texts: Sequence[str], wanted: Collection[str], language: str, limit: int = 8) -> list[str]:
    """First those of ``wanted`` that occur in ``texts``, then the most frequent phrases."""
    whole = "\n".join(texts).casefold()
    counts = _phrases(texts, language)
    ranked = sorted(counts, key=lambda phrase: (-counts[phrase] * (1 + phrase.count(" ")), phrase))
    found = [keyword for keyword in wanted if keyword.casefold() in whole]
    for phrase in ranked:
        if not any(_overlap(phrase, other) for other in found):
            found.append(phrase)
    return found[:limit]


def _phrases(texts: Sequence[str], language: str) -> Counter[str]:
    """Frequent nouns and pairs of words in ``texts``, found without a grammar.

    A word is taken for a noun if it occurs between a word such as "the" or "of" and the end of its phrase, where verbs are rare.
    """
    stop = function_words(language)
    before = frozenset(_BEFORE_NOUNS.get(_base(language), "").split()) or stop
    counts, nouns = Counter[str](), set[str]()
    for run, opening in (found for text in texts for found in _phrases_in(text, stop)):
        is_noun = opening in before or (_base(language) == "de" and run[-1][:1].isupper())
        counts.update(run)
        if len(run) == 1 and is_noun:
            nouns.add(run[0])
        if len(run) == 2 and is_noun:
            counts[" ".join(run)] += 1
            nouns.add(" ".join(run))
    repeated = Counter({phrase: counts[phrase] for phrase in nouns if counts[phrase] > 1 and len(phrase) > 3})
    return _without_plurals(repeated)


def _phrases_in(text: str, stop: Collection[str]) -> Iterator[tuple[list[str], str]]:
    """Word sequences between function words or punctuation, each with the function word before it, or ""."""
    for clause in _CLAUSE.split(text):
        run: list[str] = []
        opening = ""
        for position, word in enumerate([*clause.split(), ""]):
            if word and word.casefold() not in stop and not word.isdecimal():
                # A capital at the start of a sentence is ignored.
                run.append(word.lower() if position == 0 and word[1:] == word[1:].lower() else word)
                continue
            if run:
                yield run, opening
            run, opening = [], word.casefold()


def _without_plurals(counts: Counter[str]) -> Counter[str]:
    """The most frequent form of each phrase, with the count of all forms."""
    forms: dict[frozenset[str], list[str]] = {}
    for phrase, _ in counts.most_common():
        forms.setdefault(_stems(phrase), []).append(phrase)
    return Counter({same[0]: sum(counts[phrase] for phrase in same) for same in forms.values()})


def _overlap(one: str, other: str) -> bool:
    return bool(_stems(one) & _stems(other))


def _stems(phrase: str) -> frozenset[str]:
    """The stems of ``phrase``; phrases with the same stems are the same."""
    return frozenset(stem(word) for word in words(phrase)) or frozenset([phrase])


def _base(language: str) -> str:
    return language.partition("-")[0].lower()
