"""Revisions as pages and the API show them: the list with what changed, and the comparison of two."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, lru_cache
from typing import Literal

from django.utils.html import escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from agents.text.markdown import count_words
from agents.text.syntax import FOOTNOTE_REFERENCE
from articles.models import Article, Revision
from articles.revisions import Change, Comparison, Part, Piece, Row, Summary, compare, title_pieces
from articles.revisions.summary import summarize, summary_of

MAX_CHANGES = 500
"""Changes that are shown of one comparison. Only texts that have nothing in common have more."""
CONTEXT = 1
"""Unchanged blocks that stay visible before and after a change."""
MIN_FOLDED = 3
MAX_SUMMARIZED = 60_000
"""Characters, about 10,000 words. Of a longer text the list says only how its length changed: a page lists 20 of them."""

MARKERS = {"heading": re.compile(r" {0,3}#{1,6}[ \t]+"), "quote": re.compile(r" {0,3}>[ \t]?")}
"""What begins a block and is shown by its looks instead."""
EMPHASIS = re.compile(r"\*\*|__")

Side = Literal["both", "before", "after"]
SHOWN: dict[Side, tuple[str, ...]] = {
    "both": ("same", "removed", "added"),
    "before": ("same", "removed"),
    "after": ("same", "added"),
}


def summary_of_revision(revision: Revision) -> Summary:
    """What changed since the revision before. Kept: texts of revisions never change."""
    return _summary(revision.pk, revision.created_at)


@lru_cache(maxsize=4096)
def _summary(pk: int, created_at: datetime) -> Summary:  # a database restored from a backup gives ids again
    revision = Revision.objects.get(pk=pk)
    earlier = Revision.objects.filter(article=revision.article_id, number__lt=revision.number)
    before = earlier.order_by("-number").first()
    words = count_words(revision.content)
    if before is None:
        return Summary(f"{words:,} words", words, [], title_changed=False)
    if max(len(before.content), len(revision.content)) > MAX_SUMMARIZED:
        more = words - count_words(before.content)
        changed = before.title != revision.title
        return Summary(f"Text changed, {more:+,} words" if more else "Text changed", more, [], title_changed=changed)
    summary = summarize((before.title, before.content), (revision.title, revision.content))
    same = earlier.filter(title=revision.title, content=revision.content).exclude(pk=before.pk)
    if (before.title, before.content) != (revision.title, revision.content) and (restored := same.first()):
        return Summary(f"Restored revision {restored.number}", summary.words, summary.sections, summary.title_changed)
    return summary


class ComparisonView:
    """The comparison of two revisions of an article."""

    def __init__(self, before: Revision, after: Revision) -> None:
        self.before, self.after = before, after
        self.title = title_pieces(before.title, after.title) if before.title != after.title else []

    @cached_property
    def comparison(self) -> Comparison:
        return compare(self.before.content, self.after.content)

    @cached_property
    def changes(self) -> list[Change]:
        return self.comparison.changes

    @property
    def shown_changes(self) -> list[Change]:
        return self.changes[:MAX_CHANGES]

    @property
    def count(self) -> int:
        """Of the shown changes, with that of the title."""
        return len(self.shown_changes) + bool(self.title)

    @property
    def not_shown(self) -> int:
        return max(len(self.changes) - MAX_CHANGES, 0)

    @property
    def is_same(self) -> bool:
        return not self.changes and not self.title

    @cached_property
    def summary(self) -> Summary:
        words = count_words(self.after.content) - count_words(self.before.content)
        return summary_of(self.comparison, title_changed=bool(self.title), words=words)

    def title_before(self) -> SafeString:
        return pieces_html(self.title, "before")

    def title_after(self) -> SafeString:
        return pieces_html(self.title, "after")

    def title_both(self) -> SafeString:
        return pieces_html(self.title, "both")

    @cached_property
    def groups(self) -> list[RowGroup]:
        """The rows; long unchanged passages are groups that are folded."""
        rows = list(self._rows_to_show())
        changed = [place for place, row in enumerate(rows) if row.changes]
        near = {place for at in changed for place in range(at - CONTEXT, at + CONTEXT + 1)}
        groups: list[RowGroup] = []
        for place, row in enumerate(rows):
            folds = place not in near
            if not groups or groups[-1].is_folded != folds:
                groups.append(RowGroup([], folds))
            groups[-1].rows.append(ShownRow(row))
        return [group if len(group.rows) >= MIN_FOLDED else RowGroup(group.rows, is_folded=False) for group in groups]

    def _rows_to_show(self) -> Iterator[Row]:
        for row in self.comparison.rows:
            if row.changes and row.changes[-1].number > MAX_CHANGES:
                return
            yield row


@dataclass(frozen=True)
class RowGroup:
    rows: list[ShownRow]
    is_folded: bool


@dataclass(frozen=True)
class ShownPart:
    change: Change | None
    both: SafeString
    before: SafeString
    after: SafeString
    space: str


@dataclass(frozen=True)
class ShownRow:
    row: Row

    @property
    def kind(self) -> str:
        return self.row.kind

    @property
    def is_changed(self) -> bool:
        return bool(self.row.changes)

    @cached_property
    def parts(self) -> list[ShownPart]:
        return [self._part(part) for part in self.row.parts]

    def _part(self, part: Part) -> ShownPart:
        marker = MARKERS.get(self.row.kind) if part is self.row.parts[0] else None
        pieces = without_marker(part.pieces, marker) if marker else part.pieces
        both, before, after = (pieces_html(pieces, side) for side in SHOWN)
        return ShownPart(part.change, both, before, after, part.space)


def without_marker(pieces: Sequence[Piece], marker: re.Pattern[str]) -> Sequence[Piece]:
    """A heading or quotation without the sign that begins it, unless that has changed, such as the level of a heading."""
    opening = pieces[:1] if pieces[0].kind == "same" else pieces[:2]
    signs = {match[0].strip() for piece in opening if (match := marker.match(piece.text))}
    if len(signs) > 1:
        return pieces
    return [Piece(piece.kind, marker.sub("", piece.text, count=1)) if piece in opening else piece for piece in pieces]


def pieces_html(pieces: Sequence[Piece], side: Side) -> SafeString:
    """Safe HTML of the Markdown, with footnotes as numbers; screen readers hear what is removed and added."""
    shown = [piece for piece in pieces if piece.kind in SHOWN[side]]
    return format_html_join("", "{}", ((piece_html(piece),) for piece in shown))


def piece_html(piece: Piece) -> SafeString:
    text = piece.text.rstrip()
    space = piece.text[len(text) :]
    if piece.kind == "same":
        return format_html("{}{}", markdown_html(text), space)
    tag, word = ("del", "removed") if piece.kind == "removed" else ("ins", "added")
    return format_html(
        '<{0}><span class="visually-hidden">[{1}: </span>{2}<span class="visually-hidden">] </span></{0}>{3}',
        mark_safe(tag),  # noqa: S308 — a constant
        word,
        markdown_html(text),
        space,
    )


def markdown_html(text: str) -> SafeString:
    """The Markdown of a sentence with its footnotes as numbers, and the signs of emphasis set apart."""
    html = FOOTNOTE_REFERENCE.sub(r"<sup>\g<label></sup>", escape(text))
    return mark_safe(EMPHASIS.sub(r'<span class="markup">\g<0></span>', html))  # noqa: S308 — escaped


def article_revision(article: Article, number: int) -> Revision | None:
    return article.revisions.select_related("saved_by").filter(number=number).first()
