"""What an SEO rule found at one place of an article."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

Verdict = Literal["good", "warn", "bad"]

MAX_RESULTS = 4
"""Problems that one rule lists; more of the same kind would hide those of other rules."""


@dataclass(frozen=True)
class CheckResult:
    """``place`` is “title”, “heading “Costs””, “paragraph “Flat roofs …”” and so on; ``advice`` is empty if the check passed.

    The report sets ``rule``.
    """

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


def top_results(results: Sequence[CheckResult]) -> list[CheckResult]:
    """The worst ``MAX_RESULTS``; the last one says how many more there are."""
    ordered = sorted(results, key=lambda result: result.verdict != "bad")
    shown, more = ordered[:MAX_RESULTS], len(ordered) - MAX_RESULTS
    if more > 0:
        shown[-1] = replace(shown[-1], message=f"{shown[-1].message} {more} more like this.")
    return shown
