"""Citations: from the marks a writer leaves (``[S3]``) to the numbered references a reader sees.

While an article is being written, a sentence names the passage it rests on. At the end the marks are compiled to Markdown
footnotes: one number a source, one definition a number. Footnotes survive the page, a person's editing and every export.

What is compiled was written by a model and quotes the web, so nothing in it is taken for Markdown of ours: marks in code are
left alone, footnotes of the writer's own are taken out, titles and addresses are escaped.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from urllib.parse import quote, urlsplit

from agents.contract import Reading, Reference, Source
from agents.text.markdown import LINE_OPENING, map_prose, parse_blocks, split_blocks, split_code
from agents.text.tokenizer import PAUSES, STOPS

# [S3]  [S3, S4 and S5]  [S3-S5]  [see S3]  [S3, p. 4]  [^S3]  【S3】  ［S3］  (S3)  （S3）, and a link made of one: [S3](https://…)
_PAGE = r"(?:[,:]?\s?(?:pp?\.?|pages?|S\.|§|para\.?|lines?)\s?[0-9]{1,4}(?:[–-][0-9]{1,4})?)"
_ONE = rf"[Ss]\ ?[0-9]{{1,5}}{_PAGE}?[.?]?"
# Only one way to read each: two would double with every item of a long list.
_SEPARATOR = r"(?:\s?[,;、，；&/|+–—-]\s?|\s)?(?:(?:and|und|et|y|e|en|och|og|и|và|和|及|と)\s?)?"
_OPENING = (
    r"(?i:(?:see(?:\ also)?|cf\.?|sources?|passages?|refs?\.?|references?|ids?|quellen?|siehe|voir|fuentes?|nguồn|来源|参见|出典)"
    r"[:：]?\s?)?"
)
_LIST = rf"{_OPENING}{_ONE}(?:{_SEPARATOR}{_ONE})*"
_SQUARE = rf"(?:\[\^?\s?{_LIST}\s?\]|【\s?{_LIST}\s?】|［\s?{_LIST}\s?］)(?:\((?:https?:|[#/])[^()\s]*\))?"
# Behind a name, round brackets are a call; behind square ones, the target of a link.
_ROUND = rf"(?<![A-Za-z0-9_\])])\((?=[^()\n]{{0,40}}S[0-9]){_LIST}\)|（{_LIST}）"
_MARK = rf"(?<!\\)(?:{_SQUARE}|{_ROUND})"
_MARKS = rf"{_MARK}(?:[ \t]{{0,3}}[,;]?[ \t]{{0,3}}{_MARK})*"
_GROUP = re.compile(
    rf"(?P<space>(?:(?<![ \t\u00a0])[ \t\u00a0]+)?)(?P<marks>{_MARKS})"
    rf"(?P<stop>[{STOPS}{PAUSES}]*)(?P<more>(?:[ \t]{{0,3}}{_MARKS})?)"
)
_IDS = re.compile(r"(?<![A-Za-z])[Ss]\ ?([0-9]{1,5})(?:\s?[–—-]\s?[Ss]\ ?([0-9]{1,5}))?")
_TARGET = re.compile(r"(?<=\])\([^()]*\)")
_LONGEST_RANGE = 50
# [0], [2, 5]: not the target of a link, not an index. What follows a word without a space is one, but at the end of a sentence.
_NUMBERS = r"\[[0-9]{1,3}(?:\s?[,;–-]\s?[0-9]{1,3})*\]"
_STRAYS = rf"{_NUMBERS}(?:[ \t]?{_NUMBERS})*(?![(\[:])"
_STRAY = re.compile(
    rf"(?:(?<![ \t=])[ \t]+|(?<![\w\]\\!=\s])|(?<=[^\W\x00-\x7f])|^){_STRAYS}"
    rf"|(?<=[A-Za-z0-9]){_STRAYS}(?=[{STOPS}]*(?:\s|\Z))(?![ \t]+\w)",
    re.MULTILINE,
)

# [^1]: a footnote of the writer's own, with its indented lines; [S3]: https://… a list of sources of its own
_DEFINITION = re.compile(
    r"^(?:[ \t>]|[*+-][ \t]|[0-9]{1,9}[.)][ \t])*"
    r"\[(?:\^(?P<label>[^\]\s]+)\]:|[Ss][0-9]{1,5}\]:[ \t]*<?https?:).*(?:\n(?:[ ]{4}|\t).*)*\n?",
    re.MULTILINE,
)
_FOOTNOTE = re.compile(r"(?P<space>(?:(?<![ \t])[ \t]+)?)\\?\[\^(?P<label>[^\]\s\[]{1,80})\]")
_MARK_LABEL = re.compile(r"[Ss][0-9]{1,5}")

_SPECIAL = re.compile(r"[\\`*_\[\]<>|~^$@]|&(?=[#\w]+;)")
_LIST_OPENING = re.compile(r"^(\(?(?:[0-9]{1,9}|[a-z]|[ivxlcdm]{1,9}|[A-Z](?=\))))([.)])(?=\s|$)")
_BLOCK_OPENING = re.compile(r"^([#+=:%-])")
_KEPT_IN_ADDRESSES = "%/:?#[]@!$&'()*+,;=~-._"
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


@dataclass(frozen=True)
class CitationMark:
    """One mark or several in a row: ``text[start:end]``, the space before them included, and the ids they name."""

    start: int
    end: int
    ids: tuple[str, ...]


def cited_ids(text: str) -> list[str]:
    """The ids of the passages cited in ``text``, such as ``["S3", "S4", "S3"]``, in order of appearance."""
    return [id for mark in find_marks(text) for id in mark.ids]


def find_marks(text: str) -> Iterator[CitationMark]:
    """Where the marks of ``text`` stand, in order of appearance. Line breaks are taken to be ``\\n``."""
    at = 0
    for piece, is_code in split_code(text):
        for group in () if is_code else _GROUP.finditer(piece):
            for name, start in (("marks", group.start("space")), ("more", group.start("more"))):
                if group[name]:
                    yield CitationMark(at + start, at + group.end(name), tuple(_ids(group[name])))
        at += len(piece)


def strip_unknown_marks(text: str, known: Collection[str]) -> str:
    """``text`` without the ids that are not in ``known``; a mark with none left goes, with the space before it."""
    known = frozenset(known)

    def keep(group: re.Match[str]) -> str:
        first = _with_known(group["marks"], known, space=group["space"])
        kept = first + group["stop"] + _with_known(group["more"], known, space=" ")
        return kept or _instead_of(group)

    return map_prose(text, partial(_GROUP.sub, keep))


def strip_stray_citations(text: str) -> str:
    """``text`` without citations of its writer's own, such as ``[0]`` or ``[2, 5]``: they name nothing that was read."""
    return map_prose(text, partial(_STRAY.sub, ""))


def compile_references(markdown: str, reading: Reading) -> tuple[str, list[Reference]]:
    """``markdown`` with its marks turned into footnotes ``[^1]``, and the references they stand for.

    Sources are numbered in the order in which they are first cited, and only what is cited is listed. A number follows the
    punctuation of its sentence: ``word [S3].`` becomes ``word.[^1]``. Marks that name no passage of ``reading`` are removed.
    Every ``[^n]`` has exactly one definition, at the end, and every definition is cited.
    """
    text = _without_footnotes(_with_closed_fence(markdown))
    numbering = _Numbering(reading)
    text = map_prose(text, partial(_GROUP.sub, numbering.replace))
    if not numbering.references:
        return text, []
    origin = "from the studio's sample library" if reading.from_samples else "given with the brief"
    definitions = "\n".join(
        f"[^{reference.number}]: {_described(numbering.sources[reference.source], origin)}"
        for reference in numbering.references
    )
    return f"{text.rstrip()}\n\n{definitions}\n", numbering.references


def escape_markdown(text: str) -> str:
    """``text`` as one line of Markdown that shows just these characters, wherever in a paragraph it stands."""
    line = " ".join(_CONTROL.sub(" ", text).split())
    line = _SPECIAL.sub(lambda special: "\\" + special[0], line)
    return _BLOCK_OPENING.sub(r"\\\1", _LIST_OPENING.sub(r"\1\\\2", line))


@dataclass
class _Numbering:
    """Numbers sources as they are first cited, and remembers by which passages."""

    reading: Reading
    references: list[Reference] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.sources: dict[int, Source] = {source.number: source for source in self.reading.sources}
        self._source_of = {
            passage.id: passage.source for passage in self.reading.passages if passage.source in self.sources
        }
        self._by_source: dict[int, Reference] = {}

    def replace(self, group: re.Match[str]) -> str:
        numbers = {self._number(id) for id in _ids(group["marks"] + group["more"]) if id in self._source_of}
        notes = "".join(f"[^{number}]" for number in sorted(numbers))
        if not notes:
            return group["stop"] or _instead_of(group)
        # A parenthesis, bracket or colon behind a note would make a link or a definition of it.
        guard = "\\" if group.string[group.end() : group.end() + 1] in tuple("([:") else ""
        if not LINE_OPENING.fullmatch(_line_before(group, "marks")):
            # A backslash right before a note would take its bracket.
            space = " " if _line_before(group, "space").endswith("\\") else ""
            return space + group["stop"] + notes + guard
        stop = group["stop"].replace(":", r"\:")  # nothing stands before the mark that could take the stop
        return group["space"] + notes + (stop or guard)

    def _number(self, id: str) -> int:
        source = self.sources[self._source_of[id]]
        reference = self._by_source.get(source.number)
        if reference is None:
            reference = Reference(
                number=len(self.references) + 1, source=source.number, title=source.title, url=source.url
            )
            self._by_source[source.number] = reference
            self.references.append(reference)
        if id not in reference.passages:
            reference.passages.append(id)
        return reference.number


def _line_before(match: re.Match[str], group: str) -> str:
    return match.string[: match.start(group)].rpartition("\n")[2]


def _instead_of(removed: re.Match[str]) -> str:
    """What must stand where a mark was taken out, so that its neighbours do not become a fence or a definition."""
    before, after = _line_before(removed, "space"), removed.string[removed.end() :].lstrip(" \t")[:1]
    if after in ("`", "~") and before.endswith(after):
        return " "
    return "\\" if after in tuple("`~[") and LINE_OPENING.fullmatch(before + removed["space"]) else ""


def _ids(mark: str) -> Iterator[str]:
    """``S3, s4`` → S3, S4; ``S3-S5`` → S3, S4, S5."""
    for match in _IDS.finditer(_TARGET.sub("", mark)):
        first = int(match[1])
        last = int(match[2]) if match[2] else first
        if not first <= last < first + _LONGEST_RANGE:
            last = first
        yield from (f"S{number}" for number in range(first, last + 1))


def _with_known(mark: str, known: Collection[str], *, space: str) -> str:
    kept = [id for id in dict.fromkeys(_ids(mark)) if id in known]
    return f"{space}[{', '.join(kept)}]" if kept else ""


def _without_footnotes(text: str) -> str:
    """``text`` without footnotes of the writer's own, which would take the numbers of ours."""
    blocks = list(split_blocks(text, {"fence"}))
    defined = {match["label"] for block, kind in blocks if not kind for match in _DEFINITION.finditer(block)}

    def is_stray(label: str) -> bool:
        return (label in defined or label.isdecimal()) and not _MARK_LABEL.fullmatch(label)

    def clean(prose: str) -> str:
        prose = _FOOTNOTE.sub(lambda note: _instead_of(note) if is_stray(note["label"]) else note[0], prose)
        return prose.replace("^[", r"^\[")  # else a footnote written in its place

    return map_prose("".join(block if kind else _DEFINITION.sub("", block) for block, kind in blocks), clean)


def _described(source: Source, origin: str) -> str:
    """One line of Markdown that names ``source``; ``origin`` tells where a source without an address comes from.

    The quotation mark in front keeps a title from opening a list or heading.
    """
    parts = [f"“{escape_markdown(_cut(source.title, 200)) or 'Untitled'}”"]
    parts += [escape_markdown(_cut(part, 100)) for part in (source.author, source.date) if part.strip()]
    parts.append(_address(source.url) or (origin if source.brief_source is not None else ""))
    return ", ".join(part for part in parts if part) + f" (read {_day(source.read_at)})."


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def _day(moment: datetime) -> str:
    return f"{moment.day} {moment:%B %Y}"


def _address(url: str) -> str:
    """``url`` as a Markdown autolink; empty where it is not one a reader may be sent to."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or not parts.netloc:
        return ""
    return f"<{quote(_CONTROL.sub('', url), safe=_KEPT_IN_ADDRESSES)}>"


def _with_closed_fence(text: str) -> str:
    """``text`` with a fence that a writer forgot to close closed, so that the references do not end up in it."""
    tokens = parse_blocks(text)
    if not tokens or tokens[-1].type != "fence" or not tokens[-1].map:
        return text
    fence, opening = tokens[-1].markup, tokens[-1].map[0]
    *above, last = text.rstrip().split("\n")
    is_closed = len(above) > opening and last.strip().startswith(fence) and not last.strip().strip(fence[0])
    return text if is_closed else f"{text.rstrip()}\n{fence}\n"
