"""Finds what code can decide about conflicts between passages: other figures or dates for the same thing, and copies of one text.

It compares sentences of different sources whose words are nearly the same. Two sentences that differ in words on both sides
("women work part-time", "men work part-time") are about different things. A model has to find the rest.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from typing import Literal

from agents.contract import Passage, Reading
from agents.text.claim_words import EVENTS, STOPS, are_opposite, conditions, without_attribution
from agents.text.date_phrases import Date
from agents.text.near_duplicates import sketch
from agents.text.quantities import Parsed, Quantity, parse_quantities
from agents.text.quotations import normalize
from agents.text.stemming import stem
from agents.text.tokenizer import count_plain_words, sentences

MIN_SHARED_WORDS = 2
MAX_EXTRA = 2
"""Words that only one of two sentences about the same thing has, at most so many for each word they share."""

MAX_FIGURES = 4
"""A sentence with more figures is a list of them, whose words belong to no single one."""

MIN_COPY_WORDS, COPY_SHARE = 20, 0.5
"""Of two passages at least so long, one is a copy if half of the shorter one's five-word shingles occur in the other."""

MAX_SENTENCE = 600
"""A longer sentence is a table or list that lost its line breaks."""

_CODE_OR_TABLE = re.compile(r"[|`{}]|://")
_CLAUSE_END = re.compile(r"[;:]\s|,\s|\s[–—-]\s|\s(?:and|und|which|but|aber|sowie)\s")
_OPENING = re.compile(
    r"^((?:among|of|for|in|at|on|with|without|under|across|within|during|unter|bei|für|mit|ohne|von|im|auf|chez|parmi|pour|en"
    r"|dans|sans|entre|con|sin|para|tra|fra|per|nel|nella|senza|onder|bij|voor|met|zonder|com|sem|no|na)\s[^,#~]{1,60}),\s",
    re.IGNORECASE,
)
"""Says what the clause after it is about: "Among women, 31 % …"."""

_WORD = re.compile(r"[^\W\d_][\w’'-]*|\d[\d.]*")
_PLACE = re.compile(r"#(\d+)#")


@dataclass(frozen=True)
class Conflict:
    """``passages`` are two ids; ``values`` the normalised figures or dates, or how much of the shorter passage is copied.

    ``message`` is one sentence for a prompt or a person.
    """

    passages: tuple[str, str]
    kind: Literal["figure", "date", "copy"]
    values: tuple[str, str]
    message: str


@dataclass(frozen=True)
class _Claim:
    """A sentence's figure or date. ``views`` are its words: of the whole sentence, and of the clause with the value.

    ``events`` are those the date may be of, ``conditions`` as ``claim_words`` has them.
    """

    passage: Passage
    value: Quantity | Date
    views: tuple[frozenset[str], ...]
    names: frozenset[str]
    scope: tuple[Date, ...]
    conditions: frozenset[tuple[int, int]]
    events: frozenset[str] = frozenset()


def find_conflicts(reading: Reading) -> list[Conflict]:
    """Conflicts between passages of different sources: copies first, then figures and dates. Each pair of values once."""
    copies = list(_copies(reading.passages))
    copied = {conflict.passages for conflict in copies}
    by_word: defaultdict[str, list[int]] = defaultdict(list)
    claims = [claim for passage in reading.passages for claim in _claims(passage)]
    for index, claim in enumerate(claims):
        for word in claim.views[0]:
            by_word[word].append(index)
    shared = Counter(pair for indexes in by_word.values() if len(indexes) <= 200 for pair in combinations(indexes, 2))
    found = dict.fromkeys(copies)
    for (first, second), count in sorted(shared.items()):
        one, other = claims[first], claims[second]
        if count < MIN_SHARED_WORDS - bool(one.scope and other.scope) or one.passage.source == other.passage.source:
            continue
        if (one.passage.id, other.passage.id) not in copied and (conflict := _compare(one, other)):
            found[conflict] = None
    return list(found)


def _copies(passages: list[Passage]) -> Iterator[Conflict]:
    sketches = [
        sketch(passage.text) if count_plain_words(passage.text) >= MIN_COPY_WORDS else None for passage in passages
    ]
    with_shingle: defaultdict[int, list[int]] = defaultdict(list)
    for index, shingles in enumerate(sketches):
        shared = Counter(earlier for shingle in shingles or () for earlier in with_shingle[shingle])
        for earlier, count in sorted(shared.items()):
            one, other = passages[earlier], passages[index]
            share = count / min(len(sketches[earlier] or ()), len(shingles or ()))
            if one.source != other.source and share >= COPY_SHARE:
                message = f"{one.id} and {other.id} are copies of one text: count them as one source."
                yield Conflict((one.id, other.id), "copy", (f"{share:.0%}", f"{share:.0%}"), message)
        for shingle in shingles or ():
            with_shingle[shingle].append(index)


def _compare(one: _Claim, other: _Claim) -> Conflict | None:
    values: tuple[Quantity | Date, Quantity | Date] = (one.value, other.value)
    kind: Literal["figure", "date"]
    if isinstance(one.value, Quantity) and isinstance(other.value, Quantity):
        kind, what = "figure", "figure"
        if not one.value.is_comparable(other.value) or not one.value.contradicts(other.value):
            return None
    elif isinstance(one.value, Date) and isinstance(other.value, Date):
        kind, what = "date", "date"
        if not one.value.contradicts(other.value):
            return None
    else:
        return None
    subject = _same_subject(one, other)
    if not subject or (kind == "date" and not one.events & other.events):
        return None
    first, second = one.passage.id, other.passage.id
    message = f"{first} says {values[0]}, {second} says {values[1]}, for what looks like the same {what}."
    return Conflict((first, second), kind, (str(values[0]), str(values[1])), message)


def _same_subject(one: _Claim, other: _Claim) -> frozenset[str]:
    """The words two claims share if they are about the same thing; else nothing."""
    if one.scope and other.scope and all(date.contradicts(another) for date in one.scope for another in other.scope):
        return frozenset()
    if are_opposite(one.conditions, other.conditions):
        return frozenset()
    if one.names - other.views[0] and other.names - one.views[0]:
        return frozenset()
    needed = MIN_SHARED_WORDS - bool(one.scope and other.scope)  # the same date counts as a word
    for words in one.views:
        for others in other.views:
            shared = words & others
            extra = words ^ others
            if (
                len(shared) >= needed
                and len(extra) <= MAX_EXTRA * len(shared)
                and not (words - others and others - words)
            ):
                return shared
    return frozenset()


def _claims(passage: Passage) -> list[_Claim]:
    return [
        claim
        for start, end in sentences(passage.text)
        if end - start <= MAX_SENTENCE
        for claim in _sentence_claims(passage, passage.text[start:end])
    ]


def _sentence_claims(passage: Passage, sentence: str) -> Iterator[_Claim]:
    parsed = parse_quantities(sentence)
    if len(parsed.quantities) > MAX_FIGURES or _CODE_OR_TABLE.search(sentence):
        return
    template = _PLACE.sub(lambda found: _qualifier(parsed, found), parsed.template.strip(" .!?"))
    template = without_attribution(template)
    whole, names = _words(template), _names(template)
    clauses = _CLAUSE_END.split(_OPENING.sub(r"\1 ", template))
    for clause in clauses:
        scope, words = tuple(parsed.dates), (whole, _words(clause))
        for place in map(int, _PLACE.findall(clause)):
            yield _Claim(passage, parsed.quantities[place], words, names, scope, _conditions(clause))
    if (date := _single_date(parsed)) and "~" in template:
        clause = next(clause for clause in clauses if "~" in clause)
        if not _PLACE.search(clause):
            events = EVENTS & _words(clause) or EVENTS & whole
            yield _Claim(passage, date, (whole, _words(clause)), names, (), _conditions(clause), events)


def _qualifier(parsed: Parsed, found: re.Match[str]) -> str:
    """The text of a figure that only says what the sentence is about; the place of any other."""
    quantity = parsed.quantities[int(found[1])]
    return f"{quantity.text} " if quantity.is_qualifier else found[0]


def _conditions(clause: str) -> frozenset[tuple[int, int]]:
    return conditions({word.lower() for word in _WORD.findall(clause)})


def _single_date(parsed: Parsed) -> Date | None:
    return parsed.dates[0] if len(parsed.dates) == 1 else None


@lru_cache(maxsize=4096)
def _words(template: str) -> frozenset[str]:
    words = (word.strip("-'’") for word in _WORD.findall(normalize(_PLACE.sub(" ", template))))
    return frozenset(stem(word) for word in words if word and word not in STOPS)


def _names(template: str) -> frozenset[str]:
    """The numbers and capitalised words of a sentence but its first; of German all nouns."""
    found = [
        match for match in _WORD.finditer(_PLACE.sub(" ", template)) if match[0][:1].isupper() or match[0][:1].isdigit()
    ]
    return _words(" ".join(match[0] for match in found if match.start() > 0))
