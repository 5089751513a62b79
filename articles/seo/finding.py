"""What a rule says of one place of an article."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Verdict = Literal["good", "warn", "bad"]

MOST_FINDINGS = 4
"""Places a rule names; more of the same would bury the rest."""


@dataclass(frozen=True)
class Finding:
    """``place`` is “title”, “heading “Costs””, “paragraph “Flat roofs …”” and the like; ``advice`` is empty where all is well."""

    place: str
    verdict: Verdict
    told: str
    advice: str = ""


def good(place: str, told: str) -> list[Finding]:
    return [Finding(place, "good", told)]


def warn(place: str, told: str, advice: str) -> list[Finding]:
    return [Finding(place, "warn", told, advice)]


def bad(place: str, told: str, advice: str) -> list[Finding]:
    return [Finding(place, "bad", told, advice)]


def worst_first(findings: Sequence[Finding]) -> list[Finding]:
    """The worst few; the last of them tells how many there are besides."""
    ordered = sorted(findings, key=lambda finding: finding.verdict != "bad")
    shown, left = ordered[:MOST_FINDINGS], len(ordered) - MOST_FINDINGS
    if left > 0:
        last = shown[-1]
        shown[-1] = Finding(last.place, last.verdict, f"{last.told} {left} more like this.", last.advice)
    return shown
