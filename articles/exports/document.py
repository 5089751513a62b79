"""The document to export, as plain values that do not depend on the database."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from articles.exceptions import ExportFailed
from articles.rendering.markdown import printable

# By the first bytes, because file names in the media storage may lack a suffix.
IMAGE_TYPES = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg", b"RIFF": "image/webp"}
RIGHT_TO_LEFT = frozenset(("ar", "dv", "fa", "he", "ps", "sd", "ug", "ur", "yi"))
FIRST_HEADING = re.compile(r"\s*# +(?P<text>[^\n]*?)[ #]*(?:\n|$)")


@dataclass(frozen=True)
class Document:
    """``markdown`` is CommonMark with tables, footnotes and strikethrough; ``language`` a BCP 47 tag; ``cover`` the content of a
    PNG, JPEG or WebP file with the alt text ``cover_alt``. Only HTML has ``search_title`` (the title for search engines),
    ``tags`` (names and contents of meta elements), ``json_ld`` (JSON) and ``faq`` (questions and answers).
    """

    title: str
    markdown: str
    author: str
    date: date
    language: str = "en"
    description: str = ""
    keywords: tuple[str, ...] = ()
    cover: bytes = b""
    cover_alt: str = ""
    search_title: str = ""
    tags: tuple[tuple[str, str], ...] = ()
    json_ld: str = ""
    faq: tuple[tuple[str, str], ...] = ()

    def printable(self) -> Document:
        """Without characters that files must not contain. An empty title is replaced: PDF/UA and EPUB require one."""
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
        """The Markdown without a first heading that repeats the title, which every format adds itself."""
        first = FIRST_HEADING.match(self.markdown)
        if first and first["text"].strip().casefold() == self.title.strip().casefold():
            return self.markdown[first.end() :].lstrip("\n")
        return self.markdown

    def cover_content(self) -> tuple[str, bytes]:
        """The cover's media type and bytes, empty without a cover. Raises ExportFailed."""
        if not self.cover:
            return "", b""
        media_type = next((kind for start, kind in IMAGE_TYPES.items() if self.cover.startswith(start)), "")
        if not media_type:
            raise ExportFailed("The image of this article is not a PNG, JPEG or WebP and cannot be exported.")
        return media_type, self.cover

    @property
    def cover_data_url(self) -> str:
        media_type, content = self.cover_content()
        return f"data:{media_type};base64,{base64.b64encode(content).decode()}" if content else ""

    def write_cover(self, folder: Path) -> str:
        """Writes the cover into ``folder``. Returns its name there, such as ``cover.png``, or an empty string."""
        media_type, content = self.cover_content()
        if not content:
            return ""
        name = f"cover.{media_type.rpartition('/')[2]}"
        (folder / name).write_bytes(content)
        return name

    @property
    def direction(self) -> str:
        """The value of the HTML attribute ``dir``."""
        return "rtl" if self.language.lower().partition("-")[0] in RIGHT_TO_LEFT else "ltr"

    @property
    def day(self) -> str:
        """The date as it is printed, such as 2026-11-22, which needs no translation."""
        return self.date.isoformat()
