"""Undoes single changes of a comparison: the newer text with these passages of the older one."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from agents.text.syntax import FOOTNOTE_DEFINITION, FOOTNOTE_REFERENCE
from articles.revisions.alignment import Change, Comparison
from articles.revisions.units import Kind

LISTS: tuple[Kind, ...] = ("item", "quote", "row", "note")
"""Blocks that may stand one below the other without a blank line."""


@dataclass
class Piece:
    """A unit of the text being put together, and the white space behind it. ``is_old``: it comes from the older text."""

    text: str
    gap: str
    kind: Kind
    opens_block: bool
    is_old: bool = False


def with_changes_undone(comparison: Comparison, numbers: Collection[int]) -> str:
    """The newer text with the changes of these numbers undone; both halves of one that was moved.

    Footnotes that the restored passages cite are restored too. If the newer text has another source under the same label, the
    passages get the label under which it has their source, or a new one: no passage cites a source it did not cite.
    """
    changes = {change.number: change for change in comparison.changes}
    wanted = {*numbers, *(changes[number].moved_with for number in numbers)} - {0}
    text = _Text(comparison)
    for number in sorted(wanted, reverse=True):
        text.undo(changes[number])
    return text.markdown()


class _Text:
    def __init__(self, comparison: Comparison) -> None:
        self.old, self.new = comparison.old, comparison.new
        self.pieces = [
            Piece(unit.text, gap, unit.kind, unit.opens_block)
            for unit, gap in zip(self.new.all, self.new.gaps, strict=True)
        ]
        self.opening = self.new.opening

    def undo(self, change: Change) -> None:
        """To be called from the last change to the first, so that the places of the others stay right."""
        (i1, i2), (j1, j2) = change.before, change.after
        old, gaps = self.old.all, self.old.gaps
        inserted = [
            Piece(unit.text, gap, unit.kind, unit.opens_block, is_old=True)
            for unit, gap in zip(old[i1:i2], gaps[i1:i2], strict=True)
        ]
        before = self.pieces[j1 - 1] if j1 else None
        behind = self.pieces[j2 - 1].gap if j2 > j1 else before.gap if before else ""
        following = self.pieces[j2] if j2 < len(self.pieces) else None
        if inserted and (following is None or i2 == len(old)):
            inserted[-1].gap = behind
        if before:
            before.gap = gaps[i1 - 1] if i1 and (inserted or i2 < len(old)) else behind
        if following and i2 < len(old) and not old[i2].opens_block:
            following.opens_block = False  # the beginning of its paragraph is back
        elif following and not inserted and j2 > j1 and (self.pieces[j1].opens_block or before is None):
            following.opens_block = True  # the beginning of its paragraph is gone
        self.pieces[j1:j2] = inserted
        for place in (j1 - 1, j1 + len(inserted) - 1):
            self.separate(place)

    def separate(self, place: int) -> None:
        """Sees that blocks stay apart behind the piece at ``place``."""
        if not 0 <= place < len(self.pieces) - 1:
            return
        left, right = self.pieces[place : place + 2]
        if left.kind == right.kind and left.kind in LISTS and right.opens_block:
            least = "\n"
        elif right.opens_block or left.kind in ("heading", "code", "row", "note"):
            least = "\n\n"
        else:
            least = ""
        if least and least not in left.gap:
            left.gap = least

    def markdown(self) -> str:
        self.relabel()
        return self.opening + "".join(piece.text + piece.gap for piece in self.pieces)

    def relabel(self) -> None:
        """Lets the restored passages cite the sources they cited."""
        theirs = definitions(self.old.text(0, len(self.old.all)))
        have = definitions("".join(piece.text + piece.gap for piece in self.pieces))
        labels: dict[str, str] = {}
        for piece in self.pieces:
            if not piece.is_old or piece.kind == "note":
                continue
            for label in FOOTNOTE_REFERENCE.findall(piece.text):
                if label in theirs and label not in labels:
                    labels[label] = label_for(theirs[label], label, have)
                    if labels[label] not in have:
                        have[labels[label]] = theirs[label]
                        self.add_note(f"[^{labels[label]}]:{theirs[label]}")
            piece.text = FOOTNOTE_REFERENCE.sub(
                lambda found: f"[^{labels.get(found['label'], found['label'])}]", piece.text
            )

    def add_note(self, note: str) -> None:
        last = self.pieces[-1]
        ending, last.gap = last.gap, "\n" if last.kind == "note" else "\n\n"
        self.pieces.append(Piece(note.rstrip(), ending, "note", opens_block=True))


def definitions(markdown: str) -> dict[str, str]:
    """The text of each footnote by label; of several with the same label the first, as they are rendered."""
    found: dict[str, str] = {}
    for match in FOOTNOTE_DEFINITION.finditer(markdown):
        found.setdefault(match["label"], match["text"])
    return found


def label_for(source: str, label: str, have: dict[str, str]) -> str:
    """The label under which ``have`` has the footnote ``source``; else ``label`` if it is free, else a new number."""
    same = [name for name, text in have.items() if text.split() == source.split()]
    if same:
        return label if label in same else same[0]
    if label not in have:
        return label
    return str(max((int(name) for name in have if name.isdecimal()), default=0) + 1)
