"""Units of measure as texts in seven languages spell them, and what makes two of them comparable."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import partial

# Dimension → the spellings of each unit, without accents, with the factor that converts it. The first spelling is its name.
_SPELLINGS: dict[str, dict[str, float]] = {
    "%": {"% percent prozent pourcent porciento percento porcento procent": 1},
    "points": {"points point punkt punkte prozentpunkt prozentpunkte prozentpunkten puntos punti punten pontos procentpunt"
               " procentpunten": 1},
    "m": {"km kilometre kilometer kilometern kilometro kilometri quilometro quilometros chilometro chilometri": 1000,
          "m metre meter metern metro metri": 1, "cm centimetre centimeter zentimeter centimetro centimetri": 0.01,
          "mm millimetre millimeter milimetro millimetri": 0.001, "mi mile meile meilen milla miglia mijl": 1609.344,
          "ft foot feet": 0.3048, "inch inches zoll": 0.0254, "yd yard": 0.9144, "nmi knot": 1852},
    "kg": {"kg kilo kilogramm kilogram kilogramme kilogramo kilogrammo chilogrammi chilo chili quilo": 1,
           "t tonne ton tonnen tonelada tonnellata tonnellate": 1000,
           "g gramm gram gramme gramo grammo grammi grama gramas": 0.001, "mg milligram milligramm milligramme miligramo": 1e-6,
           "lb lbs pound pounds libra": 0.4536, "oz ounce unze unzen": 0.0283495},
    "m³": {"m³ m3 cubic-metre cubic-meter kubikmeter kubikmetern": 1, "cubic-foot cubic-feet": 0.0283168,
           "cubic-kilometre cubic-kilometer km³ kubikkilometer": 1e9, "l liter litre litern litro litri": 0.001,
           "hl hectolitre hektoliter": 0.1, "ml milliliter millilitre mililitro": 1e-6},
    "kWh": {"kwh kilowattstunde kilowattstunden kilowatt-hour kilowattuur": 1,
            "mwh megawattstunde megawattstunden megawatt-hour": 1000,
            "gwh gigawattstunde gigawattstunden gigawatt-hour": 1e6,
            "twh terawattstunde terawattstunden terawatt-hour": 1e9,
            "wh wattstunde wattstunden watt-hour": 0.001},
    "kW": {"kw kilowatt": 1, "mw megawatt": 1000, "gw gigawatt": 1e6, "w watt": 0.001, "ps": 0.7355},
    "EUR": {"€ eur euro": 1, "eurocent": 0.01}, "USD": {"$ usd dollar dollaro dollari us-dollar": 1},
    "GBP": {"£ gbp": 1}, "CHF": {"chf franken": 1}, "cent": {"cent ct centime centimo centesimi": 0.01},
    "m²": {"m² m2 square-metre square-meter quadratmeter quadratmetern": 1, "ha hectare hektar hectarea ettari ettaro": 10000,
           "km² km2 square-kilometre square-kilometer quadratkilometer quadratkilometern": 1e6, "acre": 4046.86,
           "square-mile": 2_589_988, "square-foot square-feet": 0.092903},
    "year": {"year jahr jahre jahren ans annee ano anno anni jaar": 1,
             "month monat monate monaten mois mes mese mesi maand maanden": 1 / 12},
    "day": {"day tag tage tagen jour dia giorno giorni dag dagen": 1,
            "week woche wochen semaine semana settimana settimane weken": 7},
    "hour": {"hour h stunde stunden heure hora ora ore uur": 1, "minute min minuten minuto minuti": 1 / 60,
             "second sekunde sekunden seconde segundo secondo secondi": 1 / 3600},
    "°C": {"°c celsius": 1}, "dB": {"db decibel dezibel": 1},
}  # fmt: skip
TIME = frozenset(("year", "day", "hour"))


@dataclass(frozen=True)
class Unit:
    """A unit: a value of it times ``factor`` plus ``offset`` is one of its ``dimension``. ``name`` is one of its spellings."""

    name: str = ""
    dimension: str = ""
    factor: float = 1.0
    offset: float = 0.0


NO_UNIT = Unit()
_UNITS = {
    spelling: Unit(spellings.split()[0], dimension, factor)
    for dimension, units in _SPELLINGS.items()
    for spellings, factor in units.items()
    for spelling in spellings.split()
} | dict.fromkeys(("°f", "fahrenheit"), Unit("°f", "°C", 5 / 9, -160 / 9))

_SQUARE = r"carr[ée]s?|cuadrad[oa]s?|quadrad[oa]s?|quadr[oi]|quadrat[oi]"
_CUBIC = r"cubes?|c[úu]bic[oa]s?|cub[oi]"
_LONG = r"(?P<kilo>quil[oô]|chilo|kil[oó]|k)?(?:m[èe]tres?|metros?|metri|meters?|metro|m)"
_COMPOUNDS = (
    (re.compile(rf"\b{_LONG}\s(?:{_SQUARE})\b|\bvierkante\s(?P<kilo2>kilo)?meters?\b", re.IGNORECASE), "square"),
    (re.compile(rf"\b{_LONG}\s(?:{_CUBIC})\b|\bkubieke\s(?P<kilo2>kilo)?meters?\b", re.IGNORECASE), "cubic"),
)
_REWRITTEN = (
    (re.compile(r"(?<!\w)m²"), "square metre"),  # superscripts of numbers are removed later
    (re.compile(r"(?<!\w)m³"), "cubic metre"),
    (re.compile(r"(?<!\w)km²"), "square kilometre"),
    (re.compile(r"(?<!\w)km³"), "cubic kilometre"),
    (re.compile(r"\bmph\b"), "miles per hour"),
    (re.compile(r"\b(?:Stundenkilometern?|kph|kmh)\b"), "km/h"),
    (
        re.compile(r"\b(?:percentage\spoints?|points?\sde\spourcentage|puntos\sporcentuales|punti\spercentuali)\b"),
        "points",
    ),
    (re.compile(r"\bpontos\spercentuais\b"), "points"),
    (re.compile(r"\b(per|pour|por)\s(cent|ciento|cento)\b", re.IGNORECASE), r"\1\2"),
)
_UNIT = (
    r"(?:square|cubic)[ -]\w+|°\s?[CF]\b|(?:Grad|degrees|degr[ée]s|grados|gradi|graden|graus)\s\w+|[%€$£°]"
    r"|[^\W\d_][\w²³]*(?:-(?:hours?|dollars?))?"
)
_UNIT_WORD = re.compile(rf"\s?-?(?:(?:de|di)\s|d['’])?({_UNIT})", re.IGNORECASE)
_PER = re.compile(
    rf"\s?(?:(?:per|a|an|je|pro|im|par|por|al|cada|at|le|la|na|no|ao)\s(?:la\s|le\s)?|/\s?|à\sl['’]|all['’]|l['’])({_UNIT})",
    re.IGNORECASE,
)


def without_accents(text: str) -> str:
    return "".join(sign for sign in unicodedata.normalize("NFD", text) if not unicodedata.combining(sign))


def rewrite_units(text: str) -> str:
    """``text`` with units of several words, or with superscripts, spelled so that ``unit_at`` knows them."""
    for pattern, power in _COMPOUNDS:
        text = pattern.sub(partial(_in_english, power), text)
    for pattern, spelling in _REWRITTEN:
        text = pattern.sub(spelling, text)
    return text


def _in_english(power: str, found: re.Match[str]) -> str:
    return f"{power} {'kilo' if found['kilo'] or found['kilo2'] else ''}metre"


def unit_at(text: str, at: int) -> tuple[Unit, int]:
    """The known unit at ``at``, and where it ends."""
    found = _UNIT_WORD.match(text, at)
    unit = unit_named(found[1]) if found else NO_UNIT
    return (unit, found.end()) if found and unit.dimension else (NO_UNIT, at)


def divisor_at(text: str, at: int) -> tuple[Unit, int]:
    """The unit that "per" at ``at`` divides by, and where it ends."""
    found = _PER.match(text, at)
    unit = unit_named(found[1]) if found else NO_UNIT
    return (unit, found.end()) if found and unit.dimension else (NO_UNIT, at)


def unit_named(words: str) -> Unit:
    """The unit that ``words`` spell, in singular or plural."""
    name = re.sub(r"^(?:grad|degrees|degres|grados|gradi|graden|graus)\s", "", without_accents(words.lower()))
    name = re.sub(r"(square|cubic)[ -]", r"\1-", name.replace("° ", "°"))
    spellings = (name, name.removesuffix("s"), name.removesuffix("es"))
    return next((_UNITS[each] for each in spellings if each in _UNITS), NO_UNIT)


def noun_at(text: str, at: int) -> str:
    """The word that what is counted at ``at`` is called by, in lower case; empty without one."""
    found = _UNIT_WORD.match(text, at) if text[at : at + 1] == " " else None
    return found[1].lower() if found else ""
