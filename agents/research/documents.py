"""Reads the text of a document: a web page, plain text, Markdown, a PDF or a Word file."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from agents.contract import SourceKind
from agents.exceptions import SourceUnreadable
from agents.research.dates import iso_date
from agents.research.fetch import Fetched
from agents.research.html import extract, is_harmless
from agents.research.media_types import Kind, kind_of_answer, kind_of_name
from agents.research.pasted_text import clean_pasted_text
from agents.research.sandbox import Outcome, run_sandboxed
from agents.research.text import MAX_CHARACTERS, decode, is_hard_wrapped, one_line, tidy, unwrap

logger = logging.getLogger(__name__)

SECONDS = 30.0
# The longest encyclopaedia pages have half of this. Beyond it the parser slows down (45 s for 400,000 tags).
MAX_MARKUP, MAX_TAGS = 5_000_000, 120_000
PANDOC_HEAP_EXHAUSTED = 251
PDF_READER = Path(__file__).with_name("pdf.py")
HTML_READER = Path(__file__).with_name("html.py")
PLAIN_TEMPLATE = Path(__file__).with_name("plain.template")
# Titles that programs write into PDF files on their own.
GENERATED_TITLE = re.compile(r"untitled|microsoft |.*\.(docx?|indd|tex|pdf|dvi|qxd|rtf|odt)$", re.IGNORECASE)
STATED_KINDS: dict[str, SourceKind] = {"study": "study", "press": "press"}
PAGE_MARK = "\ue000"  # a character for private use, in a paragraph of its own between the pages of a PDF
PAGE_BREAK = f"\n\n{PAGE_MARK}\n\n"
MARKDOWN_TITLE = re.compile(r"^#[ \t]+([^\n]{1,300}?)[ \t#]*$", re.MULTILINE)


@dataclass(frozen=True)
class Document:
    """The text and metadata of a document. ``date`` is ISO 8601; missing fields are empty. ``kind`` is as in ``Source``.

    ``page_starts`` are the offsets in ``text`` at which the pages of a PDF begin, with their numbers.
    """

    title: str
    text: str
    author: str = ""
    date: str = ""
    url: str = ""
    publisher: str = ""
    kind: str = ""
    page_starts: tuple[tuple[int, int], ...] = ()


async def read_page(page: Fetched) -> Document:
    """Reads the main text of a fetched page. Raises SourceUnreadable."""
    kind = kind_of_answer(page.content_type, urlsplit(page.url).path)
    if kind is None:
        raise SourceUnreadable(
            f"The studio cannot read {page.content_type[:80] or 'such'} files. Paste the text instead."
        )
    return await _read(kind, page.body, charset=page.charset, url=page.url)


LoadFile = Callable[[str], Awaitable[bytes]]
"""The content of the file that a source's ``path`` names. Raises SourceUnreadable, FilesUnavailable."""


async def load_from_disk(path: str) -> bytes:
    try:
        return await asyncio.to_thread(Path(path).read_bytes)
    except OSError as error:
        raise SourceUnreadable("The uploaded file is missing. Upload it again.") from error


async def read_file(path: str | Path, load: LoadFile = load_from_disk) -> Document:
    """Reads an uploaded .txt, .md, .pdf, .docx or .html file. Raises SourceUnreadable, and what ``load`` does."""
    name = Path(path).name
    _kind_of(name)
    return await read_upload(name, await load(str(path)))


async def read_upload(name: str, body: bytes) -> Document:
    """Reads the content of a file called ``name``. Raises SourceUnreadable if it is damaged or not what its name says."""
    kind = _kind_of(name)
    if kind == "pdf" and b"%PDF-" not in body[:1024]:
        raise SourceUnreadable("This is not a PDF file. Save it as PDF, or correct the ending of its name.")
    if kind in ("text", "markdown") and b"\0" in body[:65536] and not body.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise SourceUnreadable("This is not a text file. Save it as plain text, or correct the ending of its name.")
    return await _read(kind, body)


def _kind_of(name: str) -> Kind:
    kind = kind_of_name(name)
    if kind is None:
        suffix = Path(name).suffix
        raise SourceUnreadable(f"The studio cannot read {suffix or 'such'} files. Use .txt, .md, .pdf or .docx.")
    return kind


def read_text(text: str, title: str = "") -> Document:
    """Reads pasted text, with what its first lines say of its origin. Raises SourceUnreadable if it has no letter or digit."""
    pasted = clean_pasted_text(tidy(text), one_line(title))
    body = unwrap(pasted.text) if is_hard_wrapped(pasted.text) else pasted.text
    return _document(
        body,
        title or pasted.title,
        author=pasted.author,
        date=pasted.date,
        url=pasted.url,
        publisher=pasted.publisher,
        kind=pasted.kind,
    )


async def _read(kind: Kind, body: bytes, *, charset: str = "", url: str = "") -> Document:
    match kind:
        case "html":
            return await _read_html(decode(body, charset, markup=True), url)
        case "text":
            return await asyncio.to_thread(_read_plain, body, charset, url)
        case "markdown":
            return await _read_markdown(body, charset, url)
        case "pdf":
            return await _read_pdf(body, url)
        case "docx":
            return await _read_docx(body, url)


def _document(
    text: str,
    title: str = "",
    *,
    author: str = "",
    date: str = "",
    url: str = "",
    publisher: str = "",
    kind: str = "",
) -> Document:
    text = tidy(text)
    if not any(character.isalnum() for character in text):
        raise SourceUnreadable("It contains no text. Paste the text itself.")
    return Document(one_line(title), text, one_line(author), one_line(date), url, one_line(publisher), kind)


async def _read_html(markup: str, url: str) -> Document:
    if len(markup) > MAX_MARKUP or markup.count("<") > MAX_TAGS:
        raise SourceUnreadable("The page is too long. Paste the relevant part.")
    try:
        found = await (
            asyncio.to_thread(extract, markup, url) if is_harmless(markup) else _extract_in_child(markup, url)
        )
    except SourceUnreadable:
        raise
    except Exception as error:  # hostile markup can make the parser raise anything
        logger.warning("The page %s could not be parsed", url, exc_info=True)
        raise SourceUnreadable("The page's HTML could not be parsed. Paste its text instead.") from error
    if found is None:
        raise SourceUnreadable(
            "The page has no readable text; it may require sign-in or JavaScript. Paste its text instead."
        )
    return _document(
        found["text"],
        found["title"],
        author=found["author"],
        date=found["date"],
        url=url,
        publisher=found["publisher"],
        kind=STATED_KINDS.get(found["kind"], ""),
    )


async def _extract_in_child(markup: str, url: str) -> dict[str, str] | None:
    """Runs ``extract`` in a child process, which costs 0.5 s of CPU and can be stopped."""
    command = [sys.executable, "-I", str(HTML_READER), url]
    outcome = await _convert(command, markup.encode(errors="replace"), max_output=32 * MAX_CHARACTERS)
    if outcome.code != 0:
        raise SourceUnreadable("The page is too complex. Paste the relevant part.")
    found: dict[str, str] | None = json.loads(outcome.output)
    return found


def _read_plain(body: bytes, charset: str, url: str) -> Document:
    text = decode(body, charset)
    return _document(unwrap(text) if is_hard_wrapped(text) else text, url=url)


async def _read_markdown(body: bytes, charset: str, url: str) -> Document:
    """Reads Markdown as plain text, so that sentences can be quoted."""
    text = decode(body, charset)
    outcome = await _pandoc("gfm", tidy(text).encode())
    heading = MARKDOWN_TITLE.search(text[:4000])
    return _document(outcome.output.decode("utf-8", errors="replace"), heading[1] if heading else "", url=url)


async def _read_pdf(body: bytes, url: str) -> Document:
    command = [sys.executable, "-I", str(PDF_READER), str(MAX_CHARACTERS)]
    outcome = await _convert(command, body, max_output=8 * MAX_CHARACTERS)
    if outcome.code != 0:
        raise SourceUnreadable("The PDF is damaged or too large. Save it again, or paste the relevant part.")
    answer = json.loads(outcome.output)
    if answer["encrypted"]:
        raise SourceUnreadable("The PDF is password-protected. Save it without a password, or paste its text.")
    pages = answer["pages"]
    if not any(map(str.strip, pages)):
        raise SourceUnreadable(
            "The PDF contains no text and seems to be scanned. Run text recognition (OCR) on it first."
        )
    title = "" if GENERATED_TITLE.match(answer["title"]) else answer["title"]
    parts = unwrap(tidy(PAGE_BREAK.join(page.replace(PAGE_MARK, " ") for page in pages))).split(PAGE_MARK)
    text, starts = "", []
    for number, part in enumerate(map(tidy, parts), 1):
        if part:
            text += "\n\n" if text else ""
            starts.append((len(text), number))
            text += part
    document = _document(text, title, author=answer["author"], url=url)
    return replace(document, page_starts=tuple(starts))


async def _read_docx(body: bytes, url: str) -> Document:
    outcome = await _pandoc("docx", body, f"--template={PLAIN_TEMPLATE}")
    if outcome.code == PANDOC_HEAP_EXHAUSTED:
        raise SourceUnreadable("The document is too large. Split it, or paste the relevant part.")
    if outcome.code not in (0, None):
        raise SourceUnreadable("The file is not a valid Word document. Save it again as .docx.")
    title, author, date, text = outcome.output.decode("utf-8", errors="replace").split("\n", 3)
    return _document(text, title, author=author, date=iso_date(date), url=url)


async def _pandoc(format: str, body: bytes, *options: str) -> Outcome:
    from pypandoc import get_pandoc_path

    limits = ["+RTS", "-M512m", "-RTS", "--sandbox"]
    command = [get_pandoc_path(), *limits, f"--from={format}", "--to=plain", "--wrap=none", *options]
    return await _convert(command, body, max_output=8 * MAX_CHARACTERS)


async def _convert(command: list[str], body: bytes, *, max_output: int) -> Outcome:
    try:
        return await run_sandboxed(command, body, seconds=SECONDS, max_output=max_output)
    except TimeoutError as error:
        raise SourceUnreadable(
            f"The document could not be read within {SECONDS:g} seconds. Split it, or paste the relevant part."
        ) from error
