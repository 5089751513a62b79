"""Finds references that only repeat the source of the next one: a page shows the number once, behind the last sentence.

The references stay in the text with their links and labels; downloads show all of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from markdown_it.rules_core import StateCore
from markdown_it.token import Token


def mark_repeated(state: StateCore) -> None:
    """A core rule: sets ``repeated`` in the ``meta`` of footnote references."""
    for token in state.tokens:
        if token.type == "footnote_block_open":
            return
        groups = list(adjacent_references(token.children or []))
        for group in groups:
            seen: set[int] = set()
            for reference in reversed(group):
                reference.meta["repeated"] = number_of(reference) in seen
                seen.add(number_of(reference))
        for group, following in pairwise(groups):
            if set(map(number_of, group)) == set(map(number_of, following)):
                for reference in group:
                    reference.meta["repeated"] = True


def number_of(reference: Token) -> int:
    return int(reference.meta["id"])


def adjacent_references(children: Sequence[Token]) -> Iterator[list[Token]]:
    """Footnote references with nothing between them, within one block."""
    group: list[Token] = []
    for child in children:
        if child.type == "footnote_ref":
            group.append(child)
        elif group:
            yield group
            group = []
    if group:
        yield group
