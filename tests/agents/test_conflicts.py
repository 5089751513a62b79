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

CASES: list[dict[str, Any]] = yaml.safe_load((ROOT / "tests/fixtures/conflicts.yaml").read_text())
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


def test_planted_conflicts_are_found_without_false_alarms(capsys: pytest.CaptureFixture[str]) -> None:
    recall, false_alarms, wrong = rates(CASES)
    with capsys.disabled():
        print(f"\nconflicts: recall {recall:.0%}, false alarms {false_alarms:.0%} of {len(CASES)} cases")
    assert recall >= MIN_RECALL, wrong
    assert false_alarms <= MAX_FALSE_ALARMS, wrong


def test_passages_about_different_things_do_not_conflict_when_read_together() -> None:
    harmless = [case["texts"] for case in CASES if case["kind"] == "none"]
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
