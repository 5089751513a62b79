"""What is exported: plain values, so that the writers know nothing of the store."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from articles.exceptions import ExportFailed
from articles.rendering.markdown import printable

# By the first bytes: a name in the media storage need not tell.
PICTURES = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg", b"RIFF": "image/webp"}
RIGHT_TO_LEFT = frozenset(("ar", "dv", "fa", "he", "ps", "sd", "ug", "ur", "yi"))
FIRST_HEADING = re.compile(r"\s*# +(?P<text>[^\n]*?)[ #]*(?:\n|$)")


@dataclass(frozen=True)
class Document:
    """An article as a reader sees it.

    ``markdown`` is CommonMark with tables, footnotes and strikethrough; ``language`` a BCP 47 tag; ``cover`` a PNG, JPEG
    or WebP file that ``cover_alt`` describes to those who cannot see it. For a web page: ``search_title`` is shown by search
    engines in place of the title, ``tags`` are names and contents of meta elements, ``json_ld`` is JSON, ``faq`` questions
    with their answers.
    """

    title: str
    markdown: str
    author: str
    date: date
    language: str = "en"
    description: str = ""
    keywords: tuple[str, ...] = ()
    cover: Path | None = None
    cover_alt: str = ""
    search_title: str = ""
    tags: tuple[tuple[str, str], ...] = ()
    json_ld: str = ""
    faq: tuple[tuple[str, str], ...] = ()

    def printable(self) -> Document:
        """The same without signs that no file may hold. A title there must be: PDF/UA and EPUB ask for one."""
        return replace(
            self,
            title=printable(self.title).strip() or "Untitled",
            markdown=printable(self.markdown),
            author=printable(self.author),
            language=printable(self.language),
            description=printable(self.description),
            keywords=tuple(printable(keyword) for keyword in self.keywords),
            cover_alt=printable(self.cover_alt),
            search_title=printable(self.search_title),
            tags=tuple((name, printable(content)) for name, content in self.tags),
            json_ld=printable(self.json_ld),
            faq=tuple((printable(question), printable(answer)) for question, answer in self.faq),
        )

    @property
    def body(self) -> str:
        """The Markdown without a first heading that repeats the title, as every writer sets the title itself."""
        first = FIRST_HEADING.match(self.markdown)
        if first and first["text"].strip().casefold() == self.title.strip().casefold():
            return self.markdown[first.end() :].lstrip("\n")
        return self.markdown

    def picture(self) -> tuple[str, bytes]:
        """The cover's media type and bytes; empty ones where there is no cover."""
        if not self.cover:
            return "", b""
        try:
            content = self.cover.read_bytes()
        except OSError as error:
            raise ExportFailed("The picture of this article cannot be read. Ask who runs the studio.") from error
        media_type = next((kind for start, kind in PICTURES.items() if content.startswith(start)), "")
        if not media_type:
            raise ExportFailed("The picture of this article is no PNG, JPEG or WebP and cannot be exported.")
        return media_type, content

    @property
    def cover_address(self) -> str:
        """The cover as a ``data:`` address."""
        media_type, content = self.picture()
        return f"data:{media_type};base64,{base64.b64encode(content).decode()}" if content else ""

    def put_cover(self, folder: Path) -> str:
        """The name under which the cover was written into ``folder``, such as ``cover.png``; empty where there is none."""
        media_type, content = self.picture()
        if not content:
            return ""
        name = f"cover.{media_type.rpartition('/')[2]}"
        (folder / name).write_bytes(content)
        return name

    @property
    def direction(self) -> str:
        """``rtl`` for languages written from right to left, else ``ltr``."""
        return "rtl" if self.language.lower().partition("-")[0] in RIGHT_TO_LEFT else "ltr"

    @property
    def day(self) -> str:
        """The date as it is printed, in digits that need no translation: 2026-11-22."""
        return self.date.isoformat()
