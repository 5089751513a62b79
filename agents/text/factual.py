"""Finds the statements of fact that cite nothing: figures, dates, quotations, and what a named source is said to say."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from agents.text.evidence import uncited_sentences
from agents.text.labels import is_own_reasoning
from agents.text.markdown import visible_text
from agents.text.numbers import claimed_numbers
from agents.text.quotations import MIN_QUOTATION_WORDS, quotations_in
from agents.text.tokenizer import count_plain_words

FactKind = Literal["figure", "date", "quotation", "attribution"]

_MONTHS = (
    "January|February|March|April|May|June|July|August|September|October|November|December"
    "|Januar|Februar|März|Mai|Juni|Juli|Oktober|Dezember"
)
_DATE = re.compile(
    rf"\b\d{{1,2}}(?:st|nd|rd|th|\.)?\s(?:of\s)?(?:{_MONTHS})\b|\b(?:{_MONTHS})\s\d{{1,4}}\b|\b(?:19|20)\d\d\b|\b\d{{4}}-\d\d-\d\d\b"
    r"|\b\d{1,2}\.\d{1,2}\.\d{4}\b"
)
_PRONOUNS = r"(?!(?:It|This|That|They|These|We|You|He|She|There|Who|What|Which|Er|Sie|Es|Wir|Man|Das|Dies|Wer|Was)\b)"
_REPORTING = (
    r"(?:says?|said|reports?|reported|found|finds|estimates?d?|warns?|warned|argues?|argued|writes?|wrote|claims?|claimed"
    r"|announced|announces|calculates?d?|expects?|measured|recommends?|advises?|puts|concludes?d?"
    r"|sagte?n?|berichtete?n?|berichten|meldete?n?|melden|schreib(?:t|en)|schrieb(?:en)?|schätzte?n?|schätzen|warnte?n?|warnen"
    r"|empfiehlt|empfehlen|rechnete?t?|erwartete?t?|ermittelte?n?|beziffert(?:en?)?|kommt zu dem Schluss)"
)
_ATTRIBUTION = re.compile(
    rf"{_PRONOUNS}\b[^\W\d_a-zäöüß][\w&.’'-]*(?:\s(?:of|for|the|der|des|für|und|and|[^\W\d_a-zäöüß][\w&.’'-]*)){{0,6}}\s{_REPORTING}\b"
    r"|\b[Aa]ccording to\b|\b[Ll]aut\s[^\W\d_]|\b[Nn]ach Angaben\b|\bzufolge\b"
)


@dataclass(frozen=True)
class FactualSentence:
    """An uncited statement of fact: ``markdown[start:end]``, or the title, of which start and end are 0.

    ``before`` is the sentence before it. With ``own_reasoning`` it says that it is the author's reasoning or arithmetic.
    """

    start: int
    end: int
    plain: str
    kind: FactKind
    place: Literal["title", "heading", "text"]
    own_reasoning: bool = False
    before: str = ""


def uncited_factual_sentences(text: str, title: str = "") -> list[FactualSentence]:
    """The sentences, headings and table cells of the Markdown ``text`` that state a fact and belong to no mark.

    ``title`` is listed too, first, if it states one. A number of up to twelve in words is not a figure.
    """
    found = []
    plain_title = visible_text(title)
    if kind := fact_kind(plain_title):
        found.append(FactualSentence(0, 0, plain_title, kind, "title"))
    for sentence in uncited_sentences(text):
        if kind := fact_kind(sentence.plain):
            place: Literal["heading", "text"] = "heading" if sentence.is_heading else "text"
            own = is_own_reasoning(sentence.plain)
            found.append(
                FactualSentence(sentence.start, sentence.end, sentence.plain, kind, place, own, sentence.before)
            )
    return found


def fact_kind(sentence: str) -> FactKind | None:
    """What makes the plain ``sentence`` a statement of fact that needs a source; None if code sees nothing."""
    if any(count_plain_words(quotation) >= MIN_QUOTATION_WORDS for quotation in quotations_in(sentence)):
        return "quotation"
    without_dates = _DATE.sub(" ", sentence)
    if any(claimed_numbers(without_dates)):
        return "figure"
    if without_dates != sentence:
        return "date"
    return "attribution" if _ATTRIBUTION.search(sentence) else None
