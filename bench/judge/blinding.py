"""Brings articles of different systems into one form, so that a judge cannot tell who wrote them by their marks."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from bench.judge.comparison import JudgeError, Source

HEADINGS = {"de": "Quellen", "es": "Referencias", "fr": "Références", "it": "Riferimenti", "nl": "Bronnen"}
REFERENCES = (
    r"references?|reference list|list of references|sources?|bibliography|works cited|citations|"
    r"quellen|quellenverzeichnis|quellenangaben|referenzen|literatur|literaturverzeichnis|einzelnachweise|nachweise|"
    r"referencias|fuentes|références|sources citées|bibliographie|riferimenti|fonti|bronnen|referenties"
)
REFERENCE_HEADING = re.compile(
    rf"^(?:#{{1,6}}\s+|\*\*)(?:\d+\.\s*)?(?:{REFERENCES})(?:\s*(?:and|&|und|et|y)\s[\w ]{{1,30}})?\s*:?\s*(?:\*\*)?:?\s*$",
    re.IGNORECASE,
)
HEADING = re.compile(r"^#{1,6}\s")
FRONT_MATTER = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)
COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
IMAGE = re.compile(r"!\[[^\]]*\]\([^)]*\)")
FOOTNOTE = re.compile(r"^\[\^([\w-]+)\]:\s*(.*)$")
ENTRY = re.compile(r"^\s*(?:[-*]\s+)?(?:\[(\d+)\]:?|(\d+)[.)])?\s*(.*)$")
MARK = re.compile(r"\[\^([\w-]+)\]\\?")
LINK = re.compile(r"\[((?:[^\[\]]|\[[^\[\]]*\])*)\]\((https?://(?:[^\s()]|\([^\s()]*\))+)(?:\s+\"[^\"]*\")?\)")
LINKS_IN_PARENTHESES = re.compile(rf"\((\s*(?:{LINK.pattern}[\s,;]*)+)\)")
NUMBER = re.compile(r"(?<!\w)\[(\d{1,2}(?:\s*,\s*\d{1,2})*)\](?!\()")
BARE_URL = re.compile(r"<?(https?://[^\s<>]+[^\s<>.,;:)])>?")
# A full stop is one only at the end of a sentence: "et al. [5]" in a table stays as it is.
LATE_MARKS = re.compile(
    r"[ \t]*([,;:]|[.!?…](?=[ \t]*(?:@\d+@[ \t]*)+(?:[^\W\d_a-zäöüß]|[\"“„»(*]|$)))[ \t]*((?:@\d+@[ \t]*)+)",
    re.MULTILINE,
)
SIGNED = re.compile(
    r"^\W*(?:written|created|generated|produced|powered|erstellt|geschrieben|verfasst|generiert)\s+(?:with|by|mit|von|durch)\b.*$",
    re.IGNORECASE,
)
SYSTEM_NAMES = re.compile(
    r"content[\s_-]?studio|gpt[\s_-]?researcher|crew\s?ai|chat\s?gpt|openai|\bas an ai\b", re.IGNORECASE
)


def normalise(article: str, sources: Sequence[Source], language: str) -> str:
    """The article with numbered marks and one form of reference list, without images, comments and signatures.

    Raises JudgeError if the name of a system is left in it that no source has.
    """
    text = COMMENT.sub("", FRONT_MATTER.sub("", article.replace("\r\n", "\n")))
    lines = [IMAGE.sub("", line) for line in text.splitlines() if not SIGNED.match(line)]
    lines, footnotes = take_footnotes(lines)
    lines, entries = take_references(lines)
    numbering = Numbering(sources, footnotes, entries)
    body = numbering.replace_marks("\n".join(lines))
    body = re.sub(r"\n{3,}", "\n\n", body).strip()
    while body.endswith("---"):
        body = body[:-3].rstrip()
    heading = HEADINGS.get(language.split("-")[0].lower(), "References")
    listed = "\n".join(f"{number}. {entry}" for number, entry in enumerate(numbering.listed(), 1))
    finished = f"{body}\n\n## {heading}\n\n{listed}\n" if listed else f"{body}\n"
    check_names(finished, sources)
    return finished


def check_names(text: str, sources: Sequence[Source]) -> None:
    of_sources = " ".join(f"{source.label} {source.text}" for source in sources).lower()
    for name in SYSTEM_NAMES.finditer(text):
        if name[0].lower() not in of_sources:
            around = " ".join(text[max(0, name.start() - 40) : name.end() + 40].split())
            raise JudgeError(f"The article names a system: “…{around}…”. Remove it and prepare the blind folder again.")


def take_footnotes(lines: list[str]) -> tuple[list[str], dict[str, str]]:
    """The lines without footnote definitions, and the definitions by their label."""
    kept, footnotes = [], {}
    for line in lines:
        if match := FOOTNOTE.match(line):
            footnotes[match[1]] = match[2]
        else:
            kept.append(line)
    return kept, footnotes


def take_references(lines: list[str]) -> tuple[list[str], list[tuple[str, str]]]:
    """The lines without the last reference list, and its entries: number (empty if it has none) and text."""
    starts = [index for index, line in enumerate(lines) if REFERENCE_HEADING.match(line.strip())]
    if not starts:
        return lines, []
    start = starts[-1]
    end = next((index for index in range(start + 1, len(lines)) if HEADING.match(lines[index])), len(lines))
    entries = []
    for line in lines[start + 1 : end]:
        match = ENTRY.match(line)
        if match and match[3].strip():
            entries.append((match[1] or match[2] or "", match[3].strip()))
    return lines[:start] + lines[end:], entries


def plain(text: str) -> str:
    """Letters and digits alone, to compare titles."""
    return "".join(character for character in text.casefold() if character.isalnum())


def address(url: str) -> str:
    return re.sub(r"^https?://(?:www\.)?", "", url.strip()).split("#")[0].rstrip("/").casefold()


@dataclass
class Numbering:
    """Numbers references in the order in which they are first cited. A reference that is no source keeps its own text."""

    sources: Sequence[Source]
    footnotes: dict[str, str]
    entries: Sequence[tuple[str, str]]
    order: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.labels = {f"source {source.number}": label_of(source) for source in self.sources}
        self.numbered = {number: text for number, text in self.entries if number}

    def replace_marks(self, text: str) -> str:
        text = MARK.sub(lambda mark: self.mark(self.key(self.footnotes.get(mark[1], ""))), text)
        text = LINKS_IN_PARENTHESES.sub(lambda group: " " + self.links(group[1], with_labels=False), text)
        text = self.links(text, with_labels=True)
        text = NUMBER.sub(self.replace_numbers, text)
        text = re.sub(r"\(\s*((?:@\d+@[\s,;]*)+)\)", r"\1", text)
        text = re.sub(r"(?<=@)[ ,;]+(?=@\d+@)", "", text)
        text = LATE_MARKS.sub(lambda late: f" {late[2].strip()}{late[1]} ", text)
        text = re.sub(r"(?<=[^\s@(|])(?=@\d+@)", " ", text)
        text = re.sub(r"@(\d+)@", r"[\1]", text)
        text = re.sub(r"(?<=\S)[ \t]{2,}(?=\S)", " ", text)
        return re.sub(r"[ \t]+$", "", text, flags=re.MULTILINE)

    def links(self, text: str, *, with_labels: bool) -> str:
        """``text`` with links as marks. A label is kept if it is part of the sentence, but not if it is a reference number."""

        def replace(link: re.Match[str]) -> str:
            mark = self.mark(self.key(f"{link[1]} {link[2]}"))
            return f"{link[1]} {mark}" if with_labels and not self.is_reference_number(link[1]) else mark

        return LINK.sub(replace, text)

    def is_reference_number(self, label: str) -> bool:
        """Whether ``label`` can be the number of a source. A larger one is a figure of the text, such as ``[165](address)``."""
        numbers = re.findall(r"\d+", label)
        return not re.sub(r"[\[\]\d\s^]", "", label) and all(int(number) <= len(self.sources) for number in numbers)

    def replace_numbers(self, numbers: re.Match[str]) -> str:
        found = [number.strip() for number in numbers[1].split(",")]
        if any(number not in self.numbered for number in found):
            return numbers[0]
        return "".join(self.mark(self.key(self.numbered[number])) for number in found)

    def mark(self, key: str) -> str:
        """A mark that no later step takes for something else: ``@3@``."""
        if not key:
            return ""
        if key not in self.order:
            self.order.append(key)
        return f"@{self.order.index(key) + 1}@"

    def key(self, reference: str) -> str:
        """The source that a reference names by its address or its title; otherwise the text of the reference itself."""
        urls = {address(match[2]) for match in LINK.finditer(reference)}
        urls |= {address(url) for url in BARE_URL.findall(reference)}
        by_address = [source for source in self.sources if source.head.url and address(source.head.url) in urls]
        shown = plain(reference.replace("\\", ""))
        by_title = [source for source in self.sources if plain(source.head.title) in shown]
        found = by_address or sorted(by_title, key=lambda source: -len(source.head.title))
        return f"source {found[0].number}" if found else " ".join(reference.split())

    def listed(self) -> list[str]:
        return [self.labels.get(key, key) for key in self.order]


def label_of(source: Source) -> str:
    head = source.head
    details = ", ".join(part for part in (head.publisher, head.author, head.date, head.url) if part)
    return f"{head.title}{' — ' if details else ''}{details} (sources/{source.number:02}.md)"
