"""Undoes single changes of a comparison: the newer text with these passages of the older one."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from agents.text.syntax import FOOTNOTE_DEFINITION, FOOTNOTE_REFERENCE
from articles.revisions.alignment import Change, Comparison
from articles.revisions.units import Kind

LISTS: tuple[Kind, ...] = ("item", "quote", "row", "note")
"""Blocks that may stand one below the other without a blank line."""
PARAGRAPH = "\n\n"


@dataclass
class Piece:
    """A unit of the text being put together, and the white space behind it. ``is_old``: it comes from the older text.

    ``starts`` and ``ends`` are the older unit whose version begins or ends with it; -1 if there is none.
    """

    text: str
    gap: str
    kind: Kind
    opens_block: bool
    starts: int = -1
    ends: int = -1
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
        for part in (part for row in comparison.rows for part in row.parts):
            (i1, i2), (j1, j2) = part.before, part.after
            if part.change is None:
                for i, piece in zip(range(i1, i2), self.pieces[j1:j2], strict=True):
                    piece.starts = piece.ends = i
            elif i2 > i1 and j2 > j1:
                self.pieces[j1].starts, self.pieces[j2 - 1].ends = i1, i2 - 1

    def undo(self, change: Change) -> None:
        """To be called from the last change to the first, so that the places of the others stay right."""
        (i1, i2), (j1, j2) = change.before, change.after
        before = self.pieces[j1 - 1] if j1 else None
        following = self.pieces[j2] if j2 < len(self.pieces) else None
        if i2 > i1:
            inserted = self.inserted(change, before, following)
        else:
            inserted = []
            self.close_gap(change, before, following)
        self.pieces[j1:j2] = inserted
        for place in (j1 - 1, j1 + len(inserted) - 1):
            self.separate(place)

    def inserted(self, change: Change, before: Piece | None, following: Piece | None) -> list[Piece]:
        """The older units, with the space around them that they had, if their neighbours are still there."""
        (i1, i2), (j1, j2) = change.before, change.after
        old, gaps = self.old.all, self.old.gaps
        pieces = [Piece(old[i].text, gaps[i], old[i].kind, old[i].opens_block, i, i, True) for i in range(i1, i2)]
        replaced = self.pieces[j1:j2]
        joins_before = before is not None and before.ends == i1 - 1
        joins_following = following is not None and following.starts == i2
        behind = replaced[-1].gap if replaced else before.gap if before else ""
        if before and joins_before:
            before.gap = gaps[i1 - 1]
        if before and not joins_before:  # its paragraph begins elsewhere now
            beginning = replaced[0] if replaced else following if joins_following else None
            pieces[0].opens_block = beginning.opens_block if beginning else True
        if following and joins_following:
            following.opens_block = old[i2].opens_block
        else:
            pieces[-1].gap = behind
        return pieces

    def close_gap(self, change: Change, before: Piece | None, following: Piece | None) -> None:
        """Removes what was added: the space is that of the older text, if it has the same neighbours."""
        i, (j1, j2) = change.before[0], change.after
        removed = self.pieces[j1:j2]
        if before and following and before.ends == i - 1 and following.starts == i:
            before.gap, following.opens_block = self.old.gaps[i - 1], self.old.all[i].opens_block
            return
        if before and not (following and removed[0].opens_block):
            before.gap = removed[-1].gap
        if following:
            following.opens_block = following.opens_block or removed[0].opens_block

    def separate(self, place: int) -> None:
        """Sees that blocks stay apart behind the piece at ``place``."""
        if not 0 <= place < len(self.pieces) - 1:
            return
        left, right = self.pieces[place : place + 2]
        if left.kind == right.kind and left.kind in LISTS and right.opens_block:
            least = "\n"
        elif right.opens_block or left.kind in ("heading", "code", "row", "note"):
            least = PARAGRAPH
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
