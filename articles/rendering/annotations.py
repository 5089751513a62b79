"""Marks the checked sentences of an article in its rendered text.

Works on the parser's tokens and inserts a few fixed elements with numbers, so that no text of a sentence becomes markup. The
Markdown is not changed, so exports and word counts are not affected.
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

Verdict = Literal["supported", "partly", "not", "edited"]

LABELS: Mapping[Verdict, str] = {
    "supported": "Supported by its sources",
    "partly": "Only partly supported by its sources",
    "not": "Not supported by its sources",
    "edited": "Edited since it was checked",
}

# A Chinese or Japanese character, a number with its sign and separators, a word, or a symbol that changes what a number means.
CJK = r"\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
LETTERS = rf"[^\W_{CJK}]+"
WORD = re.compile(
    rf"[{CJK}]|(?:(?<![^\W_])[-+\u2212](?=\d))?{LETTERS}(?:(?:(?<=\d)[.,:](?=\d)|['’]){LETTERS})*|[%‰°$£€¥<>=±]"
)
FOOTNOTE_PLACEHOLDER = "\ufffc"  # one character that is no word
END = re.compile(rf"(?:[{STOPS}{CLOSERS}{FOOTNOTE_PLACEHOLDER}]|[\u00a0\u202f][»›]|[ \t]?{CITATION})*")
STOP = re.compile(rf"[{STOPS}\n]")
MAX_OCCURRENCES = 50
"""Occurrences of a sentence's words that are tried in one paragraph. Only hostile texts have more."""


@dataclass(frozen=True)
class Annotation:
    """The verdict on one sentence, or that it was edited since.

    ``ref`` is digits and hyphens, unique in the text; ``#evidence-<ref>`` has the details.

    ``quotes`` are the passages it cites, by the label of the footnote of their source.
    """

    ref: str
    sentence: str
    verdict: Verdict
    quotes: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        assert re.fullmatch(r"\d+(?:-\d+)*", self.ref), "part of an HTML id"


def normalized_words(text: str) -> Iterator[tuple[str, int, int]]:
    """The words of ``text`` in the form in which they are compared, each with its start and end."""
    for match in WORD.finditer(CITATION_MARK.sub(lambda mark: " " * len(mark[0]), text)):
        yield normalized_word(match[0]), match.start(), match.end()


def normalized_word(word: str) -> str:
    if word.isascii():  # most are, and a page compares tens of thousands
        return word.lower()
    return unicodedata.normalize("NFKC", word).casefold().replace("’", "'")


class Annotations:
    """The annotations of one text; ``found`` are the refs of those whose sentence is in it."""

    def __init__(self, annotations: Iterable[Annotation]) -> None:
        # Joined once: each sentence is searched for in each block of the text.
        self.wanted = [
            (item, join_words(word for word, _, _ in normalized_words(item.sentence))) for item in annotations
        ]
        self.found: set[str] = set()

    def annotate(self, tokens: Sequence[Token]) -> None:
        for inlines in text_blocks(tokens):
            block = Block(inlines)
            for annotation, sentence in self.wanted:
                if annotation.ref not in self.found and (span := block.find(sentence)):
                    block.matches.append((*span, annotation))
                    self.found.add(annotation.ref)
            if block.matches:
                block.insert_marks()


def text_blocks(tokens: Sequence[Token]) -> Iterator[list[Token]]:
    """The inline tokens that one sentence may span: those of one block, or of all cells of a table row."""
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
    for _, group in groupby(inlines, key=lambda numbered: numbered[0]):
        yield [token for _, token in group]


class Block:
    """The visible text of one block, with the position in it of each token."""

    def __init__(self, inlines: list[Token]) -> None:
        self.inlines = inlines
        self.matches: list[tuple[int, int, Annotation]] = []
        self.starts: dict[int, int] = {}  # id of a token → its position in the text
        parts: list[str] = []
        at = 0
        for inline in inlines:
            for child in inline.children or []:
                self.starts[id(child)] = at
                parts.append(visible_text(child))
                at += len(parts[-1])
            parts.append("\n")
            at += 1
        self.text = "".join(parts)
        self.words = list(normalized_words(self.text))
        self.joined = join_words(word for word, _, _ in self.words)
        self.offsets: list[int] = []  # of each word in ``joined``
        offset = 0
        for word, _, _ in self.words:
            self.offsets.append(offset)
            offset += len(word) + 1

    def find(self, sentence: str) -> tuple[int, int] | None:
        """The span of the first free sentence of exactly these words, including its closing punctuation and footnotes.

        ``sentence`` is the result of ``join_words``.
        """
        at, count = -1, sentence.count("\n") - 1
        for _ in range(MAX_OCCURRENCES if count else 0):
            at = self.joined.find(sentence, at + 1)
            if at < 0:
                break
            first = bisect_left(self.offsets, at)
            span = self._sentence_span(first, first + count - 1)
            if span and not any(start < span[1] and span[0] < end for start, end, _ in self.matches):
                return span
        return None

    def _sentence_span(self, first: int, last: int) -> tuple[int, int] | None:
        """None if the words ``first`` to ``last`` are only a part of a sentence."""
        start, end = self.words[first][1], self.words[last][2]
        if first and not STOP.search(self.text, self.words[first - 1][2], start):
            return None
        if last + 1 < len(self.words) and not STOP.search(self.text, end, self.words[last + 1][1]):
            return None
        closing = END.match(self.text, end)
        return start, closing.end() if closing else end

    def insert_marks(self) -> None:
        self.matches.sort(key=lambda match: match[0])
        for inline in self.inlines:
            inline.children = list(self._marked(inline.children or []))

    def _marked(self, children: list[Token]) -> Iterator[Token]:
        """Wraps the text of sentences that are not supported, and adds a link to the evidence behind each sentence."""
        open_links = 0  # links cannot be nested: a link to the evidence waits for the end of the other one
        waiting: list[Token] = []
        for child in children:
            open_links += {"link_open": 1, "link_close": -1}.get(child.type, 0)
            start = self.starts[id(child)]
            end = start + len(visible_text(child))
            if child.type == "footnote_ref":
                child.meta = {**child.meta, "quote": self._quote(start, str(child.meta.get("label", "")))}
            for piece in self._pieces(child, start, end):
                if piece.type == "evidence_link":
                    waiting.append(piece)
                else:
                    yield piece
                if not open_links:
                    yield from waiting
                    waiting.clear()
        yield from waiting

    def _quote(self, at: int, label: str) -> str:
        return next((found.quotes.get(label, "") for start, end, found in self.matches if start <= at < end), "")

    def _pieces(self, child: Token, start: int, end: int) -> Iterator[Token]:
        at = start
        for begin, finish, annotation in self.matches:
            if start < end and begin < end and finish > at:
                yield from cut(child, at - start, max(begin, at) - start)
                doubted = annotation.verdict != "supported" and child.type in ("text", "code_inline", "softbreak")
                if doubted:
                    yield Token("doubted_open", "", 1, meta={"verdict": annotation.verdict})
                at = min(finish, end)
                yield from cut(child, max(begin, start) - start, at - start)
                if doubted:
                    yield Token("doubted_close", "", -1)
                if finish <= end:
                    yield Token("evidence_link", "", 0, meta={"annotation": annotation})
        if at < end or start == end:
            yield from cut(child, at - start, end - start)


def visible_text(child: Token) -> str:
    """What a token adds to the text that is searched for sentences."""
    if child.type in ("text", "code_inline"):
        return child.content
    if child.type == "footnote_ref":
        return FOOTNOTE_PLACEHOLDER
    return {"softbreak": " ", "hardbreak": "\n"}.get(child.type, "")


def cut(child: Token, start: int, end: int) -> Iterator[Token]:
    """The part of a token from ``start`` to ``end``. Only text is divided."""
    if child.type == "text":
        if end > start:
            yield Token("text", "", 0, content=child.content[start:end], level=child.level)
    elif start == 0 and (end > 0 or not visible_text(child)):
        yield child


def join_words(words: Iterable[str]) -> str:
    """A string in which ``str.find`` finds a sequence of whole words."""
    return "".join(f"\n{word}" for word in words) + "\n"


# Rules of the parser and renderer


def annotate(state: StateCore) -> None:
    """A core rule of the parser."""
    annotations: Annotations | None = state.env.get("annotations")
    if annotations is not None:
        annotations.annotate(state.tokens)


def doubted_open(self: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType) -> str:
    return f'<span class="doubted is-{tokens[index].meta["verdict"]}">'


def doubted_close(self: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType) -> str:
    return "</span>"


def evidence_link(self: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType) -> str:
    """The element is empty and its symbol comes from the style sheet, so that it is not copied with the text."""
    annotation: Annotation = tokens[index].meta["annotation"]
    label = escape(f"{LABELS[annotation.verdict]}: see the passage")
    return (
        f'<a class="evidence-link is-{annotation.verdict}" id="{env["docId"]}-ev{annotation.ref}"'
        f' href="#evidence-{annotation.ref}" aria-label="{label}" title="{label}"></a>'
    )


RULES = {"doubted_open": doubted_open, "doubted_close": doubted_close, "evidence_link": evidence_link}
