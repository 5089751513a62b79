"""Marking in an article's text what was found of its sentences, while it is rendered.

Works on the parser's tokens: what is put in is a few fixed elements with numbers of our own, so that no sentence, however
hostile, can bring in anything. The Markdown itself, and with it exports and counts, never hold any of it.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Literal

from django.utils.html import escape
from markdown_it.renderer import RendererHTML
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

from agents.text.syntax import CITATION, CITATION_MARK, CLOSERS, STOPS

Verdict = Literal["supported", "partly", "not"]

LABELS: Mapping[Verdict, str] = {
    "supported": "Supported by what it cites",
    "partly": "Only partly supported by what it cites",
    "not": "Not supported by what it cites",
}

# A sign of Chinese or Japanese, a number with its sign and its separators, a word, or a mark that changes a figure's sense.
CJK = r"\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
LETTERS = rf"[^\W_{CJK}]+"
WORD = re.compile(
    rf"[{CJK}]|(?:(?<![^\W_])[-+\u2212](?=\d))?{LETTERS}(?:(?:(?<=\d)[.,:](?=\d)|['’]){LETTERS})*|[%‰°$£€¥<>=±]"
)
NOTE = "\ufffc"  # stands for the mark of a footnote: it is no word, and takes no room of its own
END = re.compile(rf"(?:[{STOPS}{CLOSERS}“{NOTE}]|[ \t]?{CITATION})*")
STOP = re.compile(rf"[{STOPS}\n]")
MOST_PLACES = 50
"""Of a paragraph that are looked at for one sentence: more of them hold the same words in hostile texts only."""


@dataclass(frozen=True)
class Annotation:
    """What was found of one sentence. ``ref`` is digits and hyphens, unique in its text: ``#evidence-<ref>`` tells more.

    ``quotes`` are the passages it cites, by the label of the footnote that stands for their source.
    """

    ref: str
    sentence: str
    verdict: Verdict
    quotes: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        assert re.fullmatch(r"\d+(?:-\d+)*", self.ref), "it becomes part of an id"


def words(text: str) -> Iterator[tuple[str, int, int]]:
    """The words of ``text`` in the form in which they are compared, each with where it begins and ends."""
    for match in WORD.finditer(CITATION_MARK.sub(lambda mark: " " * len(mark[0]), text)):
        yield unicodedata.normalize("NFKC", match[0]).casefold().replace("’", "'"), match.start(), match.end()


class Annotations:
    """The annotations of one text; ``found`` are the refs of those whose sentence stands in it."""

    def __init__(self, of: Iterable[Annotation]) -> None:
        self.sought = [(annotation, [word for word, _, _ in words(annotation.sentence)]) for annotation in of]
        self.found: set[str] = set()

    def annotate(self, tokens: Sequence[Token]) -> None:
        for unit in units(tokens):
            block = Block(unit)
            for annotation, wanted in self.sought:
                if annotation.ref not in self.found and (place := block.find(wanted)):
                    block.taken.append((*place, annotation))
                    self.found.add(annotation.ref)
            if block.taken:
                block.mark()


def units(tokens: Sequence[Token]) -> Iterator[list[Token]]:
    """What a sentence may reach over: the inline tokens of one block each; the cells of a row of a table together."""
    row = 0
    inlines: list[tuple[int, Token]] = []
    in_row = False
    for token in tokens:
        if token.type == "footnote_block_open":
            break
        if token.type in ("tr_open", "tr_close"):
            in_row = token.type == "tr_open"
            row += 1
        elif token.type == "inline":
            row += not in_row
            inlines.append((row, token))
    for _, unit in groupby(inlines, key=lambda numbered: numbered[0]):
        yield [token for _, token in unit]


class Block:
    """The visible text of a unit, with where each piece of it comes from."""

    def __init__(self, inlines: list[Token]) -> None:
        self.inlines = inlines
        self.taken: list[tuple[int, int, Annotation]] = []
        self.starts: dict[int, int] = {}  # id of a piece's token → where it begins in the text
        parts: list[str] = []
        at = 0
        for inline in inlines:
            for child in inline.children or []:
                self.starts[id(child)] = at
                parts.append(shown(child))
                at += len(parts[-1])
            parts.append("\n")
            at += 1
        self.text = "".join(parts)
        self.words = list(words(self.text))
        self.joined = joined(word for word, _, _ in self.words)
        self.offsets = offsets(self.words)

    def find(self, wanted: Sequence[str]) -> tuple[int, int] | None:
        """Where a sentence of these words stands as a whole, up to behind its stop and its notes; not within a longer one."""
        at = -1
        for _ in range(MOST_PLACES if wanted else 0):
            at = self.joined.find(joined(wanted), at + 1)
            if at < 0:
                break
            first = bisect_left(self.offsets, at)
            place = self._whole(first, first + len(wanted) - 1)
            if place and not any(start < place[1] and place[0] < end for start, end, _ in self.taken):
                return place
        return None

    def _whole(self, first: int, last: int) -> tuple[int, int] | None:
        start, end = self.words[first][1], self.words[last][2]
        if first and not STOP.search(self.text, self.words[first - 1][2], start):
            return None
        if last + 1 < len(self.words) and not STOP.search(self.text, end, self.words[last + 1][1]):
            return None
        closing = END.match(self.text, end)
        return start, closing.end() if closing else end

    def mark(self) -> None:
        self.taken.sort(key=lambda place: place[0])
        for inline in self.inlines:
            inline.children = list(self._marked(inline.children or []))

    def _marked(self, children: list[Token]) -> Iterator[Token]:
        """The pieces, those of a doubted sentence wrapped, and behind each sentence the link to what was found of it."""
        links = 0  # a link cannot stand in a link: it waits for the end of that one
        waiting: list[Token] = []
        for child in children:
            links += {"link_open": 1, "link_close": -1}.get(child.type, 0)
            start = self.starts[id(child)]
            end = start + len(shown(child))
            if child.type == "footnote_ref":
                child.meta = {**child.meta, "quote": self._quote(start, str(child.meta.get("label", "")))}
            for piece in self._pieces(child, start, end):
                if piece.type == "evidence_link":
                    waiting.append(piece)
                else:
                    yield piece
                if not links:
                    yield from waiting
                    waiting.clear()
        yield from waiting

    def _quote(self, at: int, label: str) -> str:
        return next((found.quotes.get(label, "") for start, end, found in self.taken if start <= at < end), "")

    def _pieces(self, child: Token, start: int, end: int) -> Iterator[Token]:
        at = start
        for begin, finish, annotation in self.taken:
            if start < end and begin < end and finish > at:
                yield from part(child, at - start, max(begin, at) - start)
                doubted = annotation.verdict != "supported" and child.type in ("text", "code_inline", "softbreak")
                if doubted:
                    yield Token("doubted_open", "", 1, meta={"verdict": annotation.verdict})
                at = min(finish, end)
                yield from part(child, max(begin, start) - start, at - start)
                if doubted:
                    yield Token("doubted_close", "", -1)
                if finish <= end:
                    yield Token("evidence_link", "", 0, meta={"annotation": annotation})
        if at < end or start == end:
            yield from part(child, at - start, end - start)


def shown(child: Token) -> str:
    """What a piece adds to the text in which sentences are looked for."""
    if child.type in ("text", "code_inline"):
        return child.content
    if child.type == "footnote_ref":
        return NOTE
    return {"softbreak": " ", "hardbreak": "\n"}.get(child.type, "")


def part(child: Token, start: int, end: int) -> Iterator[Token]:
    """A stretch of a piece; only text is ever cut."""
    if child.type == "text":
        if end > start:
            yield Token("text", "", 0, content=child.content[start:end], level=child.level)
    elif start == 0 and (end > 0 or not shown(child)):
        yield child


def joined(found: Iterable[str]) -> str:
    return "".join(f"\n{word}" for word in found) + "\n"


def offsets(found: Sequence[tuple[str, int, int]]) -> list[int]:
    """Where each word begins in what ``joined`` makes of them."""
    at, places = 0, []
    for word, _, _ in found:
        places.append(at)
        at += len(word) + 1
    return places


# How the tokens are read and written


def annotate(state: StateCore) -> None:
    """A rule of the parser's core: does nothing for a text without annotations."""
    annotations: Annotations | None = state.env.get("annotations")
    if annotations is not None:
        annotations.annotate(state.tokens)


def doubted_open(self: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType) -> str:
    return f'<span class="doubted is-{tokens[index].meta["verdict"]}">'


def doubted_close(self: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType) -> str:
    return "</span>"


def evidence_link(self: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType) -> str:
    """Empty: its sign is the style sheet's, so that copied text does not hold it."""
    annotation: Annotation = tokens[index].meta["annotation"]
    label = escape(f"{LABELS[annotation.verdict]}: see the passage")
    return (
        f'<a class="evidence-link is-{annotation.verdict}" id="{env["docId"]}-ev{annotation.ref}"'
        f' href="#evidence-{annotation.ref}" aria-label="{label}" title="{label}"></a>'
    )


RULES = {"doubted_open": doubted_open, "doubted_close": doubted_close, "evidence_link": evidence_link}
