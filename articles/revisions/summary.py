"""What changed between two texts in a line, such as “3 sentences changed in “Costs”, 12 words fewer”."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.text import get_text_list

from agents.text.markdown import count_words
from articles.revisions.alignment import Change, Comparison, compare
from articles.revisions.units import Kind

NOUNS: dict[Kind, str] = {"heading": "heading", "row": "table row", "code": "block of code", "note": "reference"}
"""What a change is of; anything else is of sentences."""
REWRITTEN = 0.8
"""Of a text of which at least this share of the sentences is another, single numbers say nothing."""
LONG = 10  # sentences
MAX_NAMED = 2


@dataclass(frozen=True)
class Summary:
    """``words`` is how many more words the newer text has. ``sections`` are the headings of the changed ones."""

    text: str
    words: int
    sections: list[str]
    title_changed: bool


def summarize(old: tuple[str, str], new: tuple[str, str]) -> Summary:
    """What changed from ``old`` to ``new``, each a title and a text in Markdown."""
    comparison = compare(old[1], new[1])
    return summary_of(comparison, title_changed=old[0] != new[0], words=count_words(new[1]) - count_words(old[1]))


def summary_of(comparison: Comparison, *, title_changed: bool, words: int) -> Summary:
    changes = comparison.changes
    sections = list(dict.fromkeys(change.section for change in changes if change.kind != "note"))
    parts = ["title changed"] if title_changed else []
    if is_rewritten(comparison):
        parts.append("nearly all of the text rewritten")
    elif changes:
        parts.append(f"{', '.join(counted(changes))}{place(sections)}")
    if words:
        parts.append(f"{abs(words):,} word{'' if abs(words) == 1 else 's'} {'more' if words > 0 else 'fewer'}")
    text = ", ".join(parts) or "nothing changed"
    return Summary(text[:1].upper() + text[1:], words, sections, title_changed)


def is_rewritten(comparison: Comparison) -> bool:
    total = max(len(comparison.old.all), len(comparison.new.all))
    changed = sum(max(change.sizes) for change in comparison.changes if not change.moved_with)
    return total >= LONG and changed >= REWRITTEN * total


def counted(changes: Iterable[Change]) -> Iterable[str]:
    """Such as ``3 sentences changed, 1 added`` and ``1 reference removed``."""
    found: dict[str, Counter[str]] = {}
    moved = 0
    for change in changes:
        if change.moved_with:
            moved += change.sizes[1] > 0
            continue
        of = found.setdefault(NOUNS.get(change.kind, "sentence"), Counter())
        before, after = change.sizes
        of["changed"] += min(before, after)
        of["added"] += max(after - before, 0)
        of["removed"] += max(before - after, 0)
    for noun, numbers in found.items():
        verbs = [(verb, number) for verb, number in numbers.items() if number]
        (first, number), *others = verbs
        yield ", ".join(
            [f"{number} {noun}{'' if number == 1 else 's'} {first}", *(f"{count} {verb}" for verb, count in others)]
        )
    if moved:
        yield f"{moved} passage{'' if moved == 1 else 's'} moved"


def place(sections: list[str]) -> str:
    if not sections:
        return ""
    names = [f"“{section}”" if section else "the introduction" for section in sections]
    if len(names) <= MAX_NAMED:
        return f" in {get_text_list(names, 'and')}"
    return f" in {len(names)} sections"
