"""What code makes sure of in a plan: the words add up, and each finding belongs to one section or is dismissed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from agents.contract import DismissedFinding, Finding, Plan
from agents.text.keyword_match import without_plural_s
from agents.text.ngrams import folded_words

MIN_SECTION_WORDS = 60
NO_ROOM = "There was no room for it."
MAX_DISMISSED_SHARE = 0.5
"""More dismissed findings than this share are not believed: the plan would leave out most of what was found."""


def distribute_words(weights: Sequence[int], total: int) -> list[int]:
    """``total`` words in proportion to ``weights``, each at least MIN_SECTION_WORDS if ``total`` allows, adding up to it.

    Weights further than three times from the mean are taken for mistakes and limited to that.
    """
    mean = sum(max(weight, 0) for weight in weights) / len(weights) or 1.0
    limited = [min(max(weight, mean / 3), mean * 3) for weight in weights]
    least = min(MIN_SECTION_WORDS, total // len(weights))
    free = total - least * len(weights)
    shares = [least + free * weight / sum(limited) for weight in limited]
    bounds = [round(sum(shares[:end])) for end in range(len(shares) + 1)]
    return [end - start for start, end in pairwise(bounds)]


def assign_findings(
    plan: Plan, findings: Sequence[Finding], most: int | None = None
) -> tuple[list[list[int]], list[DismissedFinding]]:
    """The findings each section owns, and those that are dismissed.

    A finding named twice belongs to the first section that names it. One that the plan forgot goes to the section whose
    heading, purpose and other findings share most words with it; words that are frequent in all of them count less. Once ``most``
    have a section, the rest of the forgotten ones is dismissed.
    """
    known = {finding.number: finding for finding in findings}
    owned: list[list[int]] = [[] for _ in plan.sections]
    taken: set[int] = set()
    for numbers, section in zip(owned, plan.sections, strict=True):
        for number in section.findings:
            if number in known and number not in taken:
                numbers.append(number)
                taken.add(number)
    dismissed: list[DismissedFinding] = []
    for each in plan.dismissed:
        if each.finding in known and each.finding not in taken and len(dismissed) < MAX_DISMISSED_SHARE * len(known):
            dismissed.append(each)
            taken.add(each.finding)
    texts = [
        " ".join([section.heading, section.purpose, *(known[number].statement for number in numbers)])
        for section, numbers in zip(plan.sections, owned, strict=True)
    ]
    forgotten = sorted(known.keys() - taken)
    room = len(forgotten) if most is None else max(most - sum(map(len, owned)), 0)
    dismissed += [DismissedFinding(finding=number, reason=NO_ROOM) for number in forgotten[room:]]
    words = list(map(significant_words, texts))
    uses = Counter(
        word for each in (*words, *(significant_words(finding.statement) for finding in findings)) for word in each
    )
    for number in forgotten[:room]:
        of_finding = significant_words(known[number].statement)
        shared = [sum(1 / uses[word] for word in each & of_finding) for each in words]
        nearest = max(range(len(owned)), key=lambda at: (shared[at], -len(owned[at])))
        owned[nearest].append(number)
    return [sorted(numbers) for numbers in owned], dismissed


def significant_words(text: str) -> set[str]:
    return {without_plural_s(word) for word in folded_words(text)}
