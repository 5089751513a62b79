"""Planted conflicts between passages are found, and passages that only look like one are not reported."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
import yaml

from agents.contract import Passage, Reading, Source
from agents.text.conflicts import Conflict, find_conflicts
from tests.environment import ROOT
from tests.growth import in_proportion

CORPORA: dict[str, list[dict[str, Any]]] = {
    name: yaml.safe_load((ROOT / f"tests/fixtures/{name}.yaml").read_text())
    for name in ("conflicts", "conflicts_second", "conflicts_third")
}
CASES = CORPORA["conflicts"]
MIN_RECALL, MAX_FALSE_ALARMS = 0.9, 0.1


def reading(*texts: str) -> Reading:
    """One source for each text."""
    numbers = range(1, len(texts) + 1)
    read_at = datetime(2026, 11, 22, tzinfo=UTC)
    return Reading(
        sources=[Source(number=n, title=f"Source {n}", read_at=read_at, sha256=f"{n:064}") for n in numbers],
        passages=[
            Passage(id=f"S{n}", source=n, start=0, end=len(text), text=text)
            for n, text in zip(numbers, texts, strict=True)
        ],
    )


def found(*texts: str) -> list[Conflict]:
    return find_conflicts(reading(*texts))


def is_found(case: dict[str, Any]) -> bool:
    return case["kind"] in {conflict.kind for conflict in found(*case["texts"])}


def rates(cases: list[dict[str, Any]]) -> tuple[float, float, list[str]]:
    """Recall, share of false alarms, and the texts that were judged wrong."""
    planted = [case for case in cases if case["kind"] != "none"]
    harmless = [case for case in cases if case["kind"] == "none"]
    missed = [case for case in planted if not is_found(case)]
    alarms = [case for case in harmless if found(*case["texts"])]
    wrong = [f"missed: {case['texts']}" for case in missed] + [f"alarm: {case['texts']}" for case in alarms]
    return 1 - len(missed) / len(planted), len(alarms) / len(harmless), wrong


def test_the_corpus_is_large_and_bilingual() -> None:
    planted = [case for case in CASES if case["kind"] != "none"]
    assert len(planted) >= 60
    assert len(CASES) - len(planted) >= 60
    assert {case["kind"] for case in planted} == {"figure", "date", "copy"}
    for cases in (planted, [case for case in CASES if case["kind"] == "none"]):
        assert min(sum(case["lang"] == lang for case in cases) for lang in ("en", "de")) >= len(cases) / 3


@pytest.mark.parametrize("name", ["conflicts_second", "conflicts_third"])
def test_the_other_corpora_are_in_seven_languages(name: str) -> None:
    planted = [case for case in CORPORA[name] if case["kind"] != "none"]
    assert (len(planted), len(CORPORA[name])) == (20, 40)
    assert {case["lang"] for case in CORPORA[name]} == {"en", "de", "fr", "es", "it", "nl", "pt"}


@pytest.mark.parametrize("name", CORPORA)
def test_planted_conflicts_are_found_without_false_alarms(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    recall, false_alarms, wrong = rates(CORPORA[name])
    with capsys.disabled():
        print(f"\n{name}: recall {recall:.0%}, false alarms {false_alarms:.0%} of {len(CORPORA[name])} cases")
    assert recall >= MIN_RECALL, wrong
    assert false_alarms <= MAX_FALSE_ALARMS, wrong


@pytest.mark.parametrize("name", CORPORA)
def test_passages_about_different_things_do_not_conflict_when_read_together(name: str) -> None:
    harmless = [case["texts"] for case in CORPORA[name] if case["kind"] == "none"]
    case_of = {f"S{2 * number + part + 1}": number for number in range(len(harmless)) for part in range(2)}
    conflicts = found(*(text for texts in harmless for text in texts))
    assert not [conflict for conflict in conflicts if len({case_of[id] for id in conflict.passages}) == 1]
    assert len(conflicts) <= len(harmless) * MAX_FALSE_ALARMS, [conflict.message for conflict in conflicts]


def test_a_conflict_names_passages_and_normalised_values() -> None:
    (conflict,) = found("A wet roof weighs 180 kg per m².", "A wet roof weighs 0.35 tonnes per square metre.")
    assert conflict == Conflict(
        ("S1", "S2"),
        "figure",
        ("180 kg/m²", "350 kg/m²"),
        "S1 says 180 kg/m², S2 says 350 kg/m², for what looks like the same figure.",
    )
    (conflict,) = found("The library opened on 3 May 1987.", "The library was opened in June 1987.")
    assert (conflict.kind, conflict.values) == ("date", ("1987-05-03", "1987-06"))


@pytest.mark.parametrize(
    ("one", "other", "values"),
    [
        (
            "The bus drivers' strike lasted eleven days.",
            "The bus drivers' strike lasted three weeks.",
            ("11 day", "21 day"),
        ),
        ("A quarter of the nurses left.", "Half of the nurses left.", ("25 %", "50 %")),
        ("Der Speicher fasst 1,5 m³ Wasser.", "Der Speicher fasst 2.000 Liter Wasser.", ("1.5 m³", "2 m³")),
        ("The alloy costs 4 euros per kg.", "The alloy costs 5,000 euros per tonne.", ("4 EUR/kg", "5 EUR/kg")),
        (
            "The clinic has 2,300 registered nurses.",
            "The clinic has 1,900 nurses.",
            ("2,300 registered", "1,900 nurses"),
        ),
        ("Le musée a ouvert le 1er mars 2019.", "Le musée a ouvert le 4/4/2019.", ("2019-03-01", "2019-04-04")),
    ],
)
def test_values_in_words_and_in_other_units_are_compared(one: str, other: str, values: tuple[str, str]) -> None:
    (conflict,) = found(one, other)
    assert conflict.values == values


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Dieters on plan A lost 0.33 % more weight.", "Dieters on plan A had higher rates of losing ≥ 10 % weight."),
        ("Before the renovation the school used 180 kWh.", "After the renovation the school used 65 kWh."),
        ("34 % of nurses find their workload bearable.", "66 % of nurses do not find their workload bearable."),
        ("The city wants 40 % of trips by bike.", "Today 22 % of trips in the city are by bike."),
        ("Among 16- to 24-year-olds, 31 % smoke tobacco.", "Among 55- to 64-year-olds, 6 % smoke tobacco."),
        ("A 12-month subscription costs 90 euros.", "A 24-month subscription costs 150 euros."),
        ("Among women, 31 % work from home.", "Among men, 6 % work from home."),
        ("The alloy costs 4 euros per kg.", "The alloy costs 4,000 euros per tonne."),
        ("A subscription costs 49 euros a month.", "A subscription costs 588 euros a year."),
        ("The survey closed on 05/06/2024.", "The survey closed on 6 May 2024."),
        ("The bridge, opened in 1889, was closed for good.", "The bridge was closed in 1990."),
    ],
)
def test_figures_under_other_conditions_do_not_conflict(one: str, other: str) -> None:
    assert not found(one, other)


def test_three_copies_of_a_press_release_are_named_as_one_source() -> None:
    release = next(case["texts"][0] for case in CASES if case["kind"] == "copy")
    conflicts = found(release, release + " (dpa)", "News. " + release)
    assert {conflict.passages for conflict in conflicts} == {("S1", "S2"), ("S1", "S3"), ("S2", "S3")}
    assert conflicts[0].message == "S1 and S2 are copies of one text: count them as one source."


def test_passages_of_one_source_do_not_conflict() -> None:
    one = reading("The bridge is 20 km long.", "The bridge is 30 km long.")
    same = [passage.model_copy(update={"source": 1}) for passage in one.passages]
    assert find_conflicts(one)
    assert not find_conflicts(one.model_copy(update={"passages": same}))


@pytest.mark.parametrize(
    "text",
    [
        "| Bridge length | 30 km |",
        "The bridge has 2 lanes, 30 lamps, 40 posts, 50 signs and is 60 km long.",
        "`bridge = 30 km long`",
        "{bridge: 30 km long}",
        "",
        "#0# ~ #1#",
    ],
)
def test_tables_code_and_lists_of_figures_are_not_compared(text: str) -> None:
    assert not found("The bridge is 20 km long.", text)


def test_many_passages_are_compared_in_time() -> None:
    texts = [case["texts"] for case in CASES]

    def compare(long_text: str) -> None:
        find_conflicts(reading(*(text for pair in texts[: len(long_text)] for text in pair)))

    assert in_proportion(compare, "x", len(texts))
    assert in_proportion(lambda text: find_conflicts(reading(text, text)), "The bridge 30 km. ", 400)
