"""The judges' verdicts are read and added up."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from bench.judge.__main__ import main
from bench.judge.scoring import read_judged, score_table


def verdict(judge: str, overall: str, points: dict[str, int], *, claims: int = 15) -> dict[str, Any]:
    criteria = (
        "usefulness",
        "structure",
        "faithfulness",
        "citations",
        "language",
        "length",
        "coverage",
        "disagreement",
    )

    def article(letter: str) -> dict[str, Any]:
        verdicts = ["supported"] * (claims - 2) + ["partly", "unsupported"]
        return {
            "scores": dict.fromkeys(criteria, points[letter]),
            "publish": points[letter] > 6,
            "claims": [{"claim": f"Claim {number}", "verdict": each} for number, each in enumerate(verdicts)],
        }

    return {
        "judge": judge,
        "overall": overall,
        "reason": "Better | clearer.",
        "articles": {"A": article("A"), "B": article("B")},
    }


def test_verdicts_of_both_orders_are_added_up_by_system(written: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["blind", "--pair", "studio", "single", str(written)]) == 0
    blind = written / "blind" / "01"
    first = yaml.safe_load((written / "keys" / "01.yaml").read_text())["articles"]["1"]
    studio, single = sorted(first, key=first.__getitem__, reverse=True)
    (blind / "1" / "verdict.yaml").write_text(yaml.safe_dump(verdict("Ada", studio, {studio: 8, single: 6})))
    (blind / "1" / "verdict-ben.yaml").write_text(yaml.safe_dump(verdict("Ben", "tie", {studio: 7, single: 7})))
    (blind / "2" / "verdict.yaml").write_text(yaml.safe_dump(verdict("Ada", studio, {studio: 7, single: 5})))
    capsys.readouterr()
    assert main(["score", str(written)]) == 0
    table = capsys.readouterr().out
    assert (written / "output" / "score.md").read_text() == table
    # In order 2 the letters are swapped: Ada's second vote is for the single prompt.
    assert "| studio | 1 of 3 (33%) | 53.3 | 39 / 3 / 3 | 2 of 3 |" in table
    assert "| single | 1 of 3 (33%) | 53.3 | 39 / 3 / 3 | 2 of 3 |" in table
    assert "Ties: 1. Judges who read both orders: 1; with another verdict in the other order: 1." in table
    assert "| roofs | Ada | 1 | studio | 48 | 64 | 13 / 1 / 1 | 13 / 1 / 1 | Better \\| clearer. |" in table
    assert "| roofs | Ada | 2 | single | 56 | 40 |" in table
    assert "| roofs | Ben | 1 | tie | 56 | 56 |" in table
    assert len(read_judged([written])) == 3
    assert score_table(read_judged([written])) == table


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"overall": "C"}, "overall: Input should be 'A', 'B' or 'tie'"),
        ({"winner": "A"}, "winner: Extra inputs"),
        ({"judge": ""}, "judge: String should have at least 1 character"),
    ],
)
def test_an_invalid_verdict_is_named_with_its_problem(
    written: Path, capsys: pytest.CaptureFixture[str], change: dict[str, str], problem: str
) -> None:
    main(["blind", "--pair", "studio", "single", str(written)])
    path = written / "blind" / "01" / "1" / "verdict.yaml"
    path.write_text(yaml.safe_dump(verdict("Ada", "A", {"A": 8, "B": 6}) | change))
    assert main(["score", str(written)]) == 1
    error = capsys.readouterr().err
    assert problem in error
    assert str(path) in error


def test_too_few_claims_and_scores_above_ten_are_refused(written: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["blind", "--pair", "studio", "single", str(written)])
    path = written / "blind" / "01" / "1" / "verdict.yaml"
    path.write_text(yaml.safe_dump(verdict("Ada", "A", {"A": 11, "B": 6}, claims=14)))
    assert main(["score", str(written)]) == 1
    error = capsys.readouterr().err
    assert "articles.A.claims: List should have at least 15 items" in error
    assert "articles.A.scores.usefulness: Input should be less than or equal to 10" in error


def test_without_verdicts_there_is_no_score(written: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["score", str(written)]) == 1
    main(["blind", "--pair", "studio", "single", str(written)])
    capsys.readouterr()
    assert main(["score", str(written)]) == 1
    assert "blind/01/1" in capsys.readouterr().err


def test_the_form_of_the_instructions_is_a_valid_verdict_once_filled_in(written: Path) -> None:
    main(["blind", "--pair", "studio", "single", str(written)])
    blind = written / "blind" / "01"
    form = re.search(r"```yaml\n(.*?)```", (blind / "instructions.md").read_text(), re.DOTALL)
    assert form
    filled = yaml.safe_load(form[1])
    article = filled["articles"]["A"]
    article["claims"] *= 15
    filled["articles"]["B"] = article
    (blind / "1" / "verdict.yaml").write_text(yaml.safe_dump(filled))
    assert read_judged([written])[0].judge == "your name"
    shutil.rmtree(blind)
