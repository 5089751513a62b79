"""What a rule says of one place of an article."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Verdict = Literal["good", "warn", "bad"]

MAX_RESULTS = 4
"""Places a rule names; more of the same would bury the rest."""


@dataclass(frozen=True)
class CheckResult:
    """``place`` is “title”, “heading “Costs””, “paragraph “Flat roofs …”” and the like; ``advice`` is empty where all is well."""

    place: str
    verdict: Verdict
    message: str
    advice: str = ""
    rule: str = ""


def good(place: str, message: str) -> list[CheckResult]:
    return [CheckResult(place, "good", message)]


def warn(place: str, message: str, advice: str) -> list[CheckResult]:
    return [CheckResult(place, "warn", message, advice)]


def bad(place: str, message: str, advice: str) -> list[CheckResult]:
    return [CheckResult(place, "bad", message, advice)]


def top_results(findings: Sequence[CheckResult]) -> list[CheckResult]:
    """The worst few; the last of them tells how many there are besides."""
    ordered = sorted(findings, key=lambda finding: finding.verdict != "bad")
    shown, left = ordered[:MAX_RESULTS], len(ordered) - MAX_RESULTS
    if left > 0:
        last = shown[-1]
        shown[-1] = CheckResult(last.place, last.verdict, f"{last.message} {left} more like this.", last.advice)
    return shown
