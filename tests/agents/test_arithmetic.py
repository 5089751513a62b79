"""Arithmetic that a text spells out is checked; anything else is not judged."""

from __future__ import annotations

import pytest

from agents.text.arithmetic import check_arithmetic, correct_results
from agents.text.numbers import known_values
from tests.growth import in_proportion

KNOWN = known_values(
    ["3,000 kWh, 0.30 euros, 61 of 70 firms, 1,500 flats, 20 %, 250 W and 5 litres; 2.4 million; 12,000"]
)


def kinds(text: str) -> list[str]:
    return [problem.kind for problem in check_arithmetic(text, KNOWN)]


@pytest.mark.parametrize(
    "text",
    [
        "At 0.30 per kWh that is about 900 euros a year (3,000 × 0.30).",
        "Bei 0,30 Euro je kWh sind das rund 900 Euro im Jahr (3.000 kWh × 0,30 Euro).",
        "3,000 kWh × 30 cents = 900 euros, assuming 30 cents.",
        "With 250 W × 24 h × 365 = 2,190 kWh it runs all year.",
        "61 of 70 firms (87 %) kept it.",
        "61 of 70 firms, or about 87 percent, kept it.",
        "61 von 70 Firmen (87 %) blieben dabei.",
        "20 % of 1,500 is 300.",
        "20 % von 1.500 sind 300.",
        "The number fell from 70 to 61, a drop of 13 %.",
        "The number fell from 70 to 61, a drop of 9.",
        "Von 70 auf 61, ein Rückgang um 13 %.",
        "61 plus 70 is 131.",
        "That is 61 in 100 of them (61 × 1 %).",
        "At 20 g on each of 12,000 km that is 0.24 tonnes (12,000 × 20 g).",
        "At 1,500 flats that is a fifth (1,500 × 20 %).",
        "With a share of 20 %, 300 flats remain (1,500 × 0.2), and 1,200 do not (1,500 × 0.8).",
        "12,000 ÷ 20 = 600.",
        "61 ÷ 70 = 87%.",
        "2.4 million / 1,500 = 1,600.",
        "2,4 Mio. Euro ÷ 1.500 = 1.600 Euro.",
    ],
)
def test_correct_arithmetic_passes(text: str) -> None:
    assert kinds(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "At 0.30 per kWh that is about 990 euros a year (3,000 × 0.30).",
        "Bei 0,30 Euro je kWh sind das rund 9.000 Euro im Jahr (3.000 kWh × 0,30 Euro).",
        "61 of 70 firms (78 %) kept it.",
        "61 von 70 Firmen, also 78 Prozent, blieben dabei.",
        "20 % of 1,500 is 350.",
        "20 % von 1.500 sind 350.",
        "The number fell from 70 to 61, a drop of 15 %.",
        "The number fell from 70 to 61, a drop of 12.",
        "Von 70 auf 61, ein Rückgang um 15 %.",
        "61 plus 70 is 141.",
        "12,000 ÷ 20 = 60.",
        "61 ÷ 70 = 78%.",
        "2,4 Mio. Euro ÷ 1.500 = 1.700 Euro.",
    ],
)
def test_a_wrong_result_is_reported(text: str) -> None:
    assert kinds(text) == ["wrong result"]


@pytest.mark.parametrize(
    "text",
    [
        "3 of 10 heat pumps are 20 % more efficient.",
        "Between 2019 – 2021 rents rose by 5 - 7 %.",
        "It measures 3 × 4 m.",
        "Rents rose from 61 to 70 and wages by 3 %.",
        "The season 2023/24 is the 12th.",
        "It is open 24/7 and costs 20 %.",
        "20 % of 1,500 respondents are 65 or older.",
        "From 2019 to 2021, growth of 9 % was normal.",
        "The CO2 tax was 55 euros in 2025.",
        "A 3-2 win is 5 goals.",
    ],
)
def test_what_is_no_arithmetic_is_not_judged(text: str) -> None:
    assert kinds(text) == []


def test_an_input_must_be_known_stated_before_or_named_as_an_assumption() -> None:
    assert kinds("That is 1,200 euros (3,000 × 0.40).") == ["unknown input"]
    assert kinds("At 0.40 per kWh that is 1,200 euros (3,000 × 0.40).") == []
    assert kinds("Assuming a price of 0.40 euros, that is 1,200 euros (3,000 × 0.40).") == []
    assert kinds("Angenommen, die kWh kostet 0,40 Euro: Das sind 1.200 Euro (3.000 × 0,40).") == []
    assert kinds("The kWh may cost 0.40 euros. That is 1,200 euros (3,000 × 0.40).") == []


def test_the_message_says_what_the_result_should_be() -> None:
    (problem,) = check_arithmetic("61 of 70 firms (78 %) kept it.", KNOWN)
    assert problem.message == "The result 78 does not follow from 61 and 70: it should be 87.14."


def test_results_of_correct_calculations_are_known() -> None:
    assert correct_results("That is about 900 euros a year (3,000 × 0.30).") == {"900"}
    assert not correct_results("That is about 990 euros a year (3,000 × 0.30).")


@pytest.mark.parametrize("unit", ["9", "9 × ", "1 of 2 ", "from 1 to 2, ", "a b ", "3 "])
def test_long_texts_are_checked_in_linear_time(unit: str) -> None:
    assert in_proportion(lambda text: check_arithmetic(text, KNOWN), unit, 1500, " = 3.")
