"""Fractions and small numbers in words, in seven languages, written as digits so that they can be compared."""

from __future__ import annotations

import re

from agents.text.units import unit_at

_WORDS = {
    1.5: "anderthalb eineinhalb",
    2: "two zwei deux dos due twee dois duas",
    2.5: "zweieinhalb",
    3: "three drei trois tres tre drie três",
    4: "four vier quatre cuatro quattro quatro",
    5: "five fünf cinq cinco cinque vijf",
    6: "six sechs seis sei zes",
    7: "seven sieben sept siete sette zeven sete",
    8: "eight acht huit ocho otto oito",
    9: "nine neun neuf nueve nove negen",
    10: "ten zehn dix diez dieci tien dez",
    11: "eleven elf onze once undici",
    12: "twelve zwölf douze doce dodici twaalf doze",
    15: "fünfzehn quinze quince quindici vijftien",
    20: "zwanzig vingt veinte venti twintig vinte",
    30: "dreißig trente treinta trenta dertig trinta",
    40: "vierzig quarante cuarenta quaranta veertig quarenta",
    50: "fünfzig cinquante cincuenta cinquanta vijftig cinquenta",
}
"""English ones above twelve are recognised without a unit by ``agents.text.numbers``."""

_VALUES = {word: value for value, words in _WORDS.items() for word in words.split()}
_SMALL = re.compile(rf"\b(?:{'|'.join(_VALUES)})(?=[ -])", re.IGNORECASE)

_COUNTS = {
    1: "a one ein eine un une una uno een um uma",
    2: _WORDS[2],
    3: _WORDS[3],
    4: _WORDS[4],
}
_PARTS = {
    3: "third thirds drittel tiers tercio tercios terzo terzi derde terço terços",
    4: "quarter quarters viertel quart quarts cuarto cuartos quarto quarti quartos kwart",
    5: "fifth fifths fünftel cinquième cinquièmes quinto quintos quinti vijfde",
}
_COUNT_VALUES = {word: value for value, words in _COUNTS.items() for word in words.split()}
_PART_VALUES = {word: value for value, words in _PARTS.items() for word in words.split()}
_WHOLE = (
    r"(?=\s(?:of|der|des|aller|de|del|di|do|da|dos|das|van|dei|degli|delle|della|den|d['’])\b"
    r"(?!\s(?:an?\s|the\s)?(?:million|billion|hour|year|century|day|\d)))"
)
_FRACTION = re.compile(
    rf"\b(?P<count>{'|'.join(_COUNT_VALUES)})[ -](?P<part>{'|'.join(_PART_VALUES)}){_WHOLE}"
    rf"|(?<!first )(?<!second )(?<!erste )(?<!ersten )(?<!zweite )(?<!zweiten )"
    rf"(?:\b(?:la\s|die\s|de\s|der\s)?(?P<half>half|hälfte|moitié|mitad|metà|helft|metade)){_WHOLE}",
    re.IGNORECASE,
)
_BOUNDED = re.compile(
    r"\b(?:than|least|most|over|above|under|below|about|around|roughly|nearly|almost|knapp|rund|etwa|fast|gut|als|über|unter"
    r"|mindestens|que|de|di|dan|presque|casi|quasi|bijna|quase|environ)\s\Z",
    re.IGNORECASE,
)


def rewrite_number_words(text: str) -> str:
    """``text`` with "two thirds of" as "about 67 % of", and with "three weeks" as "3 weeks": words only before a unit.

    Many of the words mean something else, too: "once", "neuf", "sei".
    """
    text = _FRACTION.sub(_in_percent, text)
    return _SMALL.sub(_in_digits, text)


def _in_percent(found: re.Match[str]) -> str:
    share = 50.0 if found["half"] else 100 * _COUNT_VALUES[found["count"].lower()] / _PART_VALUES[found["part"].lower()]
    rough = "" if _BOUNDED.search(found.string[: found.start()]) else "about "
    return f"{rough}{share:.3g} %"


def _in_digits(found: re.Match[str]) -> str:
    unit, _ = unit_at(found.string, found.end())
    return f"{_VALUES[found[0].lower()]:g}" if unit.dimension else found[0]
