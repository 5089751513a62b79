"""Checks simple arithmetic that a text spells out, such as "about 900 euros a year (3,000 × 0.30)".

Only explicit forms are judged: a product, quotient, sum or difference with its result, a share ("61 of 70, or 87 %"), a part
("20 % of 1,500 is 300") and a change ("from 70 to 61, a drop of 13 %"). Everything else passes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from decimal import Decimal, DivisionByZero, InvalidOperation
from functools import partial
from itertools import islice, product
from typing import Literal

from agents.text.markdown import plain_text
from agents.text.numbers import Number, known_values, located_numbers
from agents.text.tokenizer import sentences

CONSTANTS = frozenset(map(str, (1, 2, 4, 7, 10, 12, 24, 30, 52, 60, 100, 365, 1000, 8760, 1_000_000)))
"""Days, hours, months and powers of ten, which need no source."""

MAX_CHARACTERS = 1500
"""A longer sentence is not judged: it is a table or list that lost its line breaks."""

MAX_READINGS = 256
"""Combinations of readings that are tried: 1.500 is 1500 or 1.5."""

_N = r"#(\d+)#"
_UNIT = r"(?:\s?[%€$£°]|\s?[^\W\d_#](?:[\w²³.-]|/(?=\w)){0,30}){0,3}?"
_TERM = rf"[€$£]?\s?{_N}{_UNIT}"
_OPERATOR = r"\s?[×÷∙·−]\s?|\s[x*/+–-]\s|\s(?:times|multiplied by|divided by|plus|minus|mal|geteilt durch)\s"
_EXPRESSION = rf"{_TERM}(?:(?:{_OPERATOR}){_TERM}){{1,5}}"
_ABOUT = (
    r"(?:about|around|roughly|some|approximately|nearly|almost|just (?:over|under)"
    r"|rund|etwa|circa|ca\.|ungefähr|knapp|gut|fast)"
)
_EQUALS = (
    r"(?:\s?[=≈]\s?|,?\s(?:is|are|makes?|gives?|equals?|comes to|or|that is|ergibt|ergeben|ist|sind|macht|entspricht"
    r"|also|das sind|das ist)\s)"
)
_RESULT = rf"(?:{_ABOUT}\s)?[€$£]?\s?{_N}"
_PERCENT = r"\s?(?:%|per\s?cent\b|Prozent\b)"
_END = r"(?=\s?(?:[.,;:)]|\Z))"
_CHANGE = (
    r"(?:rise|increase|growth|drop|fall|decline|decrease|reduction|difference|gain|loss|cut"
    r"|Rückgang|Anstieg|Zunahme|Abnahme|Zuwachs|Minus|Plus|Differenz|Senkung)"
)

_WITH_RESULT = re.compile(rf"(?P<terms>{_EXPRESSION}){_EQUALS}{_RESULT}", re.IGNORECASE)
_IN_BRACKETS = re.compile(rf"{_N}(?P<between>[^#()]{{0,60}})\((?P<terms>{_EXPRESSION})\)", re.IGNORECASE)
_SHARE = re.compile(
    rf"{_N}(?:\s(?!%)[^\W\d_]+)?\s(?:out of|of|von)\s(?:the\s|den\s)?{_N}(?:\s[^\W\d_]+){{0,4}}"
    rf"(?:\s\(|,?\s(?:or|i\.e\.|that is|also|das sind)\s)(?:{_ABOUT}\s)?{_N}{_PERCENT}",
    re.IGNORECASE,
)
_PART = re.compile(
    rf"{_N}{_PERCENT}\s(?:of|von)\s(?:the\s|den\s)?[€$£]?\s?{_N}(?:\s[^\W\d_]+){{0,2}}?{_EQUALS}{_RESULT}(?:\s[^\W\d_]+)?{_END}",
    re.IGNORECASE,
)
_FROM_TO = re.compile(
    rf"\b(?:from|von)\s[€$£]?{_N}{_UNIT}\s(?:to|auf)\s[€$£]?{_N}{_UNIT}[,(–\s]+"
    rf"(?:(?:an?|eine?|or|that is|das ist)\s){{0,2}}{_CHANGE}\s(?:of|von|um)\s{_RESULT}(?P<percent>{_PERCENT})?",
    re.IGNORECASE,
)
_TOKEN = re.compile(rf"{_N}(?:\s?(?P<scale>%|ct\b|cents?\b|pence\b))?|(?P<operator>{_OPERATOR})", re.IGNORECASE)
_OPERATIONS = {"×": "*", "x": "*", "*": "*", "∙": "*", "·": "*", "times": "*", "multiplied by": "*", "mal": "*"}
_OPERATIONS |= {"÷": "/", "/": "/", "divided by": "/", "geteilt durch": "/", "+": "+", "plus": "+"}
_OPERATIONS |= {"-": "-", "–": "-", "−": "-", "minus": "-"}
_ASSUMED = re.compile(
    r"(?:\bat|\bif|\bsay|\bwith|\bbei|\bwenn|\bmit)\b[^#,;.]{0,40}#(\d+)#"
    r"|(?:assum\w+|suppos\w+|angenommen|annahme)\b[^#;.]{0,60}#(\d+)#"
    r"|#(\d+)#[^#]{0,40}(?:\bassumed|\bangenommen)\b",
    re.IGNORECASE,
)
_YEAR = re.compile(r"(?:19|20)\d\d")
# Units that differ by a factor of 1000, of which a sentence that names both may use either.
_THOUSANDS = tuple(
    (re.compile(rf"\b{small}\b"), re.compile(rf"\b{large}\b"))
    for small, large in (
        ("kWh", "MWh"), ("Wh", "kWh"), ("W", "kWh"), ("W", "kW"), ("watts?|Watt", "kWh"), ("g|grams?|Gramm", "kg"),
        ("kg", "t|tonnes?|tons?|Tonnen?"), ("m|met(?:re|er)s?|Meter", "km"), ("ml", "l|lit(?:re|er)s?|Liter"),
        ("l|lit(?:re|er)s?|Liter", "m³|m3"), ("mm", "m"), ("thousand|Tausend", "million|Million(?:en)?"),
    )
)  # fmt: skip

_GRAMS, _TONNES = re.compile(r"\b(?:g|grams?|Gramm)\b"), re.compile(r"\b(?:t|tonnes?|tons?|Tonnen?)\b")


@dataclass(frozen=True)
class ArithmeticProblem:
    """``sentence`` is as a reader sees it; ``message`` is one sentence for a prompt or a person."""

    sentence: str
    kind: Literal["wrong result", "unknown input"]
    message: str


@dataclass(frozen=True)
class _Calculation:
    """``outcomes`` are the possible results of the terms; ``inputs`` and ``result`` are places in the sentence's numbers."""

    inputs: tuple[int, ...]
    result: int
    outcomes: frozenset[Decimal]


class _Sentence:
    """A sentence with each number replaced by its place, such as ``#0#``."""

    def __init__(self, text: str) -> None:
        self.text = text
        normalized, located = located_numbers(text)
        self.numbers = [number for _, _, number in located]
        parts, at = list[str](), 0
        for place, (start, end, number) in enumerate(located):
            end = max(end, start + len(number.text))  # with "million"
            end += number.text[-1].isalpha() and normalized[end : end + 1] == "."  # Mio.
            parts += [normalized[at:start], f"#{place}#"]
            at = end
        self.template = "".join([*parts, normalized[at:]])

    def readings(self, place: int) -> list[Decimal]:
        return [Decimal(value) for value in sorted(self.numbers[place].values)]

    def calculations(self) -> Iterator[_Calculation]:
        for found in _WITH_RESULT.finditer(self.template):
            yield self._expression(found["terms"], int(found.groups()[-1]))
        for found in _IN_BRACKETS.finditer(self.template):
            if any(sign in found["terms"].casefold() for sign in ("×", "÷", "·", "∙", "*", " x ", " times ", " mal ")):
                calculation = self._expression(found["terms"], int(found[1]))
                of_so_many = re.search(r"\b(?:in|of|von)\s\Z", self.template[: found.start()])  # 7 in 100
                if not of_so_many and not self._repeats_an_input(calculation):
                    yield calculation
        for found in _SHARE.finditer(self.template):
            part, whole, result = map(int, found.groups())
            yield self._apply((part, whole), result, lambda one, other: [100 * one / other])
        for found in _PART.finditer(self.template):
            share, whole, result = map(int, found.groups())
            yield self._apply((share, whole), result, lambda one, other: [one * other / 100])
        for found in _FROM_TO.finditer(self.template):
            first, last, result = map(int, found.groups()[:3])
            if all(_YEAR.fullmatch(self.numbers[place].text) for place in (first, last)):
                continue
            yield self._apply((first, last), result, partial(_changes, relative=bool(found["percent"])))

    def _repeats_an_input(self, calculation: _Calculation) -> bool:
        """Whether the number before the brackets is one within them: "at 90 kg that is little (90 × 0.0033)"."""
        values = self.numbers[calculation.result].values
        return any(values & self.numbers[place].values for place in calculation.inputs)

    def _expression(self, terms: str, result: int) -> _Calculation:
        tokens = list(_TOKEN.finditer(terms))
        places = tuple(int(token[1]) for token in tokens if token[1])
        scales = [Decimal("0.01") if token["scale"] else Decimal(1) for token in tokens if token[1]]
        operators = [_OPERATIONS[token["operator"].strip().lower()] for token in tokens if token["operator"]]
        outcomes = set[Decimal]()
        for values in islice(product(*map(self.readings, places)), MAX_READINGS):
            scaled = [value * scale for value, scale in zip(values, scales, strict=True)]
            for operands in (values, scaled):
                if (outcome := _evaluate(operands, operators)) is not None:
                    outcomes.add(outcome)
        return _Calculation(places, result, frozenset(outcomes))

    def _apply(
        self, inputs: tuple[int, int], result: int, formula: Callable[[Decimal, Decimal], list[Decimal]]
    ) -> _Calculation:
        outcomes = set[Decimal]()
        for one, other in product(*map(self.readings, inputs)):
            try:
                outcomes.update(formula(one, other))
            except (DivisionByZero, InvalidOperation):
                continue
        return _Calculation(inputs, result, frozenset(outcomes))

    def is_right(self, calculation: _Calculation) -> bool:
        """Whether the stated result is one of the outcomes within rounding. Without an outcome nothing is judged."""
        number = self.numbers[calculation.result]
        before, _, after = self.template.partition(f"#{calculation.result}#")
        before = before[-20:]
        is_rough = re.search(rf"{_ABOUT}\s[€$£]?\s?\Z", before, re.IGNORECASE) or "≈" in before[-4:]
        factors = [Decimal(1)]
        if re.match(_PERCENT, after, re.IGNORECASE):  # 56 ÷ 70 = 80 %
            factors.append(Decimal(100))
        if any(small.search(self.template) and large.search(self.template) for small, large in _THOUSANDS):
            factors += [Decimal(1000), Decimal("0.001")]
        if _GRAMS.search(self.template) and _TONNES.search(self.template):
            factors += [Decimal(1_000_000), Decimal("0.000001")]
        return not calculation.outcomes or any(
            abs(abs(outcome) * factor - value) <= _tolerance(number, value, rough=bool(is_rough))
            for outcome in calculation.outcomes
            for factor in factors
            for value in self.readings(calculation.result)
        )


def check_arithmetic(text: str, known_numbers: Collection[str]) -> list[ArithmeticProblem]:
    """What is wrong with the arithmetic in the Markdown ``text``.

    An input has to be among ``known_numbers`` (values as ``agents.text.numbers.known_values`` returns them), stated earlier in
    the text, or named as an assumption ("at 0.30 per kWh", "assuming 3,000 kWh").
    """
    known = frozenset(known_numbers) | CONSTANTS
    problems: list[ArithmeticProblem] = []
    plain = plain_text(text)
    for start, end in sentences(plain):
        if end - start > MAX_CHARACTERS:
            continue
        sentence = _Sentence(plain[start:end])
        found = [each for each in sentence.calculations() if each.result not in each.inputs]
        assumed = {int(match[match.lastindex or 0]) for match in _ASSUMED.finditer(sentence.template)}
        values = frozenset(value for place in assumed for value in sentence.numbers[place].values)
        results = frozenset(value for each in found for value in sentence.numbers[each.result].values)
        for each in found:
            problems += _problems(sentence, each, known | values | results)
        known |= known_values([sentence.text])
    return list(dict.fromkeys(problems))


def correct_results(sentence: str) -> frozenset[str]:
    """The values of results that ``sentence`` calculates correctly from other numbers: no source has to state these."""
    if (
        not any(sign in sentence for sign in "×÷=·∙≈") or len(sentence) > MAX_CHARACTERS
    ):  # a quick test: most sentences calculate nothing
        return frozenset()
    parsed = _Sentence(sentence)
    right = (each for each in parsed.calculations() if each.outcomes and parsed.is_right(each))
    return frozenset(value for each in right for value in parsed.numbers[each.result].values)


def _problems(sentence: _Sentence, calculation: _Calculation, known: Collection[str]) -> Iterator[ArithmeticProblem]:
    result = sentence.numbers[calculation.result]
    if not sentence.is_right(calculation):
        inputs = " and ".join(sentence.numbers[place].text for place in calculation.inputs)
        expected = _written(
            min(calculation.outcomes, key=lambda outcome: abs(abs(outcome) - Decimal(min(result.values))))
        )
        message = f"The result {result.text} does not follow from {inputs}: it should be {expected}."
        yield ArithmeticProblem(sentence.text, "wrong result", message)
    for place in calculation.inputs:
        number = sentence.numbers[place]
        if not (number.values | (_percentages(number) - CONSTANTS)) & frozenset(known):
            message = (
                f"The number {number.text} in this calculation is neither in the sources nor named as an assumption."
            )
            yield ArithmeticProblem(sentence.text, "unknown input", message)


def _percentages(number: Number) -> frozenset[str]:
    """The percentages that a factor between 0 and 1 may come from: 0.2 is 20 %, or what 80 % less leaves."""
    shares = [100 * Decimal(value) for value in number.values if 0 < Decimal(value) < 1]
    return frozenset(f"{each.normalize():f}" for share in shares for each in (share, 100 - share))


def _evaluate(operands: Collection[Decimal], operators: list[str]) -> Decimal | None:
    """The value of a chain of terms, products first; None if it has none."""
    first, *rest = operands
    total, term, sign = Decimal(0), first, 1
    try:
        for operator, operand in zip(operators, rest, strict=True):
            if operator == "*":
                term *= operand
            elif operator == "/":
                term /= operand
            else:
                total, term, sign = total + sign * term, operand, 1 if operator == "+" else -1
    except (DivisionByZero, InvalidOperation, ValueError):
        return None
    return total + sign * term


def _changes(first: Decimal, last: Decimal, *, relative: bool) -> list[Decimal]:
    """The change from ``first`` to ``last``: in percent, or absolute, which also is the change of two shares in points."""
    return [100 * (last - first) / first, last - first] if relative else [last - first]


def _tolerance(number: Number, value: Decimal, *, rough: bool) -> Decimal:
    """Half of the last digit that is written, or 3 % after a word such as "about"."""
    digits = re.sub(r"\D", "", number.text)
    step = abs(value) / int(digits) if digits and int(digits) else Decimal(1)
    exact = step / 2 + abs(value) / 2000
    return max(exact, abs(value) * 3 / 100) if rough else exact


def _written(value: Decimal) -> str:
    rounded = abs(value).quantize(Decimal("0.01"))
    return f"{rounded.normalize():,f}"
