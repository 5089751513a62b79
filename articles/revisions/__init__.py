"""Revisions of a text: what changed between two, in words and in a line, and how a change is undone."""

from articles.revisions.alignment import Change, Comparison, Part, Row, compare
from articles.revisions.restoring import with_changes_undone
from articles.revisions.summary import Summary, summarize
from articles.revisions.word_diff import Piece, title_pieces

__all__ = [
    "Change",
    "Comparison",
    "Part",
    "Piece",
    "Row",
    "Summary",
    "compare",
    "summarize",
    "title_pieces",
    "with_changes_undone",
]
