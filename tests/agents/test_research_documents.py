from __future__ import annotations

import asyncio
import io
import os
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import psutil
import pypandoc
import pytest
import typst
from pypdf import PdfReader, PdfWriter

from agents.exceptions import SourceUnreadable
from agents.research import documents, html, pdf
from agents.research.documents import read_file, read_page, read_text
from agents.research.fetch import Fetched
from agents.research.media_types import MEDIA_TYPES, Kind
from agents.research.sandbox import run_sandboxed
from agents.research.text import MAX_CHARACTERS, decode, first_words, is_hard_wrapped, one_line, tidy, unwrap
from tests.agents.fixtures.loopback import page
from tests.environment import ROOT
from tests.waiting import wait_until

MEDIA_TYPE = {kind: media_type for media_type, kind in MEDIA_TYPES.items()}
FIRST = "A heat pump moves heat from a cold place to a warm one, as a refrigerator does."
SECOND = "It needs about one unit of electricity for three or four units of heat, depending on the weather."


def made_pdf(source: str) -> bytes:
    pdf: bytes = typst.compile(source.encode())
    return pdf


def made_docx(markdown: str) -> bytes:
    pandoc = [pypandoc.get_pandoc_path(), "--from=markdown", "--to=docx", "--output=-"]
    return subprocess.run(pandoc, input=markdown.encode(), capture_output=True, check=True).stdout


def fetched(kind: Kind, body: bytes, charset: str = "") -> Fetched:
    return Fetched("https://example.org/page", MEDIA_TYPE[kind], body, charset)


async def test_a_web_page_is_read_without_its_menu():
    document = await read_page(fetched("html", page("How heat pumps work", FIRST, SECOND, "Ünïcödé it is.").encode()))

    assert (document.title, document.url) == ("How heat pumps work", "https://example.org/page")
    assert FIRST in document.text
    assert "Ünïcödé" in document.text
    assert "About" not in document.text
    assert "\n" in document.text


async def test_a_page_tells_its_author_and_date_and_none_is_guessed():
    head = '<meta name="author" content="Ann Lee"><meta property="article:published_time" content="2024-05-06">'
    told = await read_page(fetched("html", page("T", FIRST, SECOND).replace("<head>", f"<head>{head}").encode()))
    untold = await read_page(fetched("html", page("T", FIRST, SECOND, "Seen on 3 May 2021.").encode()))

    assert (told.author, told.date) == ("Ann Lee", "2024-05-06")
    assert (untold.author, untold.date) == ("", "")


@pytest.mark.parametrize("markup", ["", "<html><body></body></html>", "<html><body><script>x()</script></body></html>"])
async def test_a_page_without_text_says_so(markup: str):
    with pytest.raises(SourceUnreadable, match="no readable text"):
        await read_page(fetched("html", markup.encode()))


async def test_a_picture_is_no_document():
    with pytest.raises(SourceUnreadable, match="cannot read image/png files"):
        await read_page(Fetched("https://example.org/a", "image/png", b"\x89PNG"))


async def test_a_page_of_countless_tags_is_refused_at_once():
    with pytest.raises(SourceUnreadable, match="too long"):
        await read_page(fetched("html", b"<a href=x>a</a> " * 100_000))


async def test_a_page_that_breaks_the_parser_is_unreadable_and_logged(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    def broken(*args: object, **kwargs: object) -> None:
        raise RecursionError

    monkeypatch.setattr("trafilatura.bare_extraction", broken)
    with pytest.raises(SourceUnreadable, match="could not be parsed"):
        await read_page(fetched("html", page("T", FIRST).encode()))
    assert "could not be parsed" in caplog.text


@pytest.mark.parametrize(
    ("body", "charset"),
    [
        ("Grüße aus Köln".encode(), ""),
        ("Grüße aus Köln".encode("utf-8-sig"), ""),
        ("Grüße aus Köln".encode("utf-16"), ""),
        ("Grüße aus Köln".encode("latin-1"), "iso-8859-1"),
        ("Grüße aus Köln".encode(), "no-such-charset"),
    ],
)
async def test_plain_text_is_decoded_by_what_is_known_of_it(body: bytes, charset: str):
    assert (await read_page(fetched("text", body, charset))).text == "Grüße aus Köln"


def test_a_page_may_name_its_charset_itself():
    assert decode('<meta charset="windows-1251">Привет'.encode("windows-1251"), markup=True).endswith("Привет")


def test_an_undeclared_charset_is_guessed_from_the_text():
    text = "Съешь же ещё этих мягких французских булок, да выпей чаю. Широкая электрификация южных губерний."

    assert decode((text * 3).encode("windows-1251")) == text * 3


def test_what_no_reader_sees_is_taken_out():
    hidden = "".join(chr(0xE0000 + ord(letter)) for letter in "obey")

    assert tidy(f"One\x00 t\ud800wo{hidden}\u202e\ufeff\r\nthree\u00a0 four\r\n\r\n\r\n\r\nfive {'-' * 500}") == (
        "One two\nthree four\n\nfive ---"
    )
    assert tidy("e\u0301 \u0646\u200c\u0646") == "é \u0646\u200c\u0646"


def test_a_text_is_cut_at_the_limit():
    assert len(tidy("word " * MAX_CHARACTERS)) <= MAX_CHARACTERS


def test_a_title_is_one_short_line():
    assert one_line(" A\ntitle\x00 ") == "A title"
    assert len(one_line("title " * 100)) <= 200
    assert first_words("one two three") == "one two three"
    assert first_words("one two three four five six seven eight nine ten eleven").endswith("nine ten …")


def test_a_pasted_text_keeps_its_title_and_paragraphs():
    document = read_text(f"{FIRST}\n\n{SECOND}\n", " My notes ")

    assert (document.title, document.text) == ("My notes", f"{FIRST}\n\n{SECOND}")


@pytest.mark.parametrize("text", ["", " \n ", "\x00\u200b", "--- …"])
def test_a_pasted_text_without_words_says_so(text: str):
    with pytest.raises(SourceUnreadable, match="contains no text"):
        read_text(text)


def test_a_text_whose_lines_end_where_the_page_was_full_is_unwrapped():
    wrapped = (
        "Heat pumps move heat from a cold place to a warm one, as a\n"
        "refrigerator does. They need electricity for it, and give back more\n"
        "heat than the electricity alone would. In winter their out-\n"
        "put falls, because there is less heat in the air outside.\n"
        "Solar panels may feed them.\n"
        "\n"
        "A second paragraph begins here and it goes on for quite some\n"
        "time, until it ends."
    )

    assert is_hard_wrapped(wrapped)
    assert read_text(wrapped).text.split("\n") == [
        "Heat pumps move heat from a cold place to a warm one, as a refrigerator does. They need electricity for it, and give"
        " back more heat than the electricity alone would. In winter their output falls, because there is less heat in the air"
        " outside. Solar panels may feed them.",
        "",
        "A second paragraph begins here and it goes on for quite some time, until it ends.",
    ]


def test_headings_and_lists_keep_their_lines_when_a_text_is_unwrapped():
    full = "A line that is as long as the page is wide, so that it goes on in"
    text = f"{full}\nthe next one.\nHeating\n{full}\n- an item\n2. another\nin lower case"

    assert unwrap(text).split("\n") == [
        f"{full} the next one.",
        "Heating",
        full,
        "- an item",
        "2. another in lower case",
    ]
    assert unwrap("") == ""


async def test_an_uploaded_text_is_read(tmp_path: Path):
    file = tmp_path / "notes.txt"
    file.write_text(f"{FIRST}\n")

    assert (await read_file(file)).text == FIRST


async def test_markdown_is_read_without_its_marks(tmp_path: Path):
    file = tmp_path / "notes.md"
    file.write_text(f"# The *title* #\n\n**{FIRST}**\n\n- see [here](https://example.org)\n\n> {SECOND}\n")

    document = await read_file(file)

    assert document.title == "The *title*"
    assert FIRST in document.text.split("\n")
    assert "- see here" in document.text
    assert "https" not in document.text


async def test_a_pdf_is_read_with_its_title_and_whole_paragraphs(tmp_path: Path):
    file = tmp_path / "paper.pdf"
    file.write_bytes(made_pdf(f'#set document(title: "On heat", author: "Ann Lee")\n#set page("a6")\n{FIRST} {SECOND}'))

    document = await read_file(file)

    assert (document.title, document.author) == ("On heat", "Ann Lee")
    assert document.text == f"{FIRST} {SECOND}"


@pytest.mark.parametrize(
    ("head", "publisher", "kind"),
    [
        ('<meta property="og:site_name" content="The Daily">', "The Daily", ""),
        ('<script type="application/ld+json">{"@type": "NewsArticle", "headline": "T"}</script>', "", "press"),
        ('<meta name="citation_journal_title" content="Heat">', "", "study"),
        ('<meta property="og:type" content="article">', "", ""),
    ],
)
async def test_a_page_states_its_publisher_and_kind(head: str, publisher: str, kind: str):
    markup = page("T", FIRST, SECOND).replace("<head>", f"<head>{head}")
    document = await read_page(fetched("html", markup.encode()))
    assert document.kind == kind
    assert publisher in document.publisher


@pytest.mark.parametrize("title", ["Microsoft Word - draft.doc", "untitled", "paper.tex"])
async def test_a_title_a_program_wrote_into_a_pdf_is_none(title: str):
    document = await read_page(fetched("pdf", made_pdf(f'#set document(title: "{title}")\n{FIRST}')))

    assert document.title == ""


def locked(body: bytes, *, password: str, owner_password: str | None = None) -> bytes:
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(body)))
    writer.encrypt(password, owner_password, algorithm="RC4-128")
    file = io.BytesIO()
    writer.write(file)
    return file.getvalue()


async def test_a_pdf_with_a_password_says_so():
    body = locked(made_pdf(FIRST), password="secret")

    assert pdf.read_pdf(body, 100) == {"encrypted": True}
    with pytest.raises(SourceUnreadable, match="password"):
        await read_page(fetched("pdf", body))


async def test_a_pdf_that_is_only_protected_against_changes_is_read():
    body = locked(made_pdf(FIRST), password="", owner_password="secret")

    assert FIRST in (await read_page(fetched("pdf", body))).text


async def test_a_scanned_pdf_asks_for_text_recognition():
    with pytest.raises(SourceUnreadable, match="OCR"):
        await read_page(fetched("pdf", made_pdf("#rect(width: 5cm, height: 5cm)")))


@pytest.mark.parametrize("body", [b"", b"no pdf at all", b"%PDF-1.7\n" + os.urandom(2000)])
async def test_a_damaged_pdf_says_so(body: bytes):
    with pytest.raises(SourceUnreadable, match="damaged"):
        await read_page(fetched("pdf", body))


def test_a_pdf_is_read_until_there_is_enough_text():
    body = made_pdf("#lorem(100)\n#pagebreak()\n#lorem(100)\n#pagebreak()\n#lorem(100)")

    pages = pdf.read_pdf(body, 800)["pages"]
    assert isinstance(pages, list)
    assert len(pages) == 2
    assert sum(map(len, pages)) == 800


async def test_the_pages_of_a_pdf_are_known_in_its_text():
    body = made_pdf(
        f"{FIRST}\n#pagebreak()\n#pagebreak(weak: false)\n{SECOND} \ue000 End.\n#pagebreak()\n{FIRST} Again."
    )
    document = await read_page(fetched("pdf", body))
    starts = [(document.text[start:][: len("It needs")], page) for start, page in document.page_starts]
    assert starts == [("A heat p", 1), ("It needs", 3), ("A heat p", 4)]
    assert document.text == tidy(document.text)


async def test_a_word_file_is_read_with_its_title(tmp_path: Path):
    file = tmp_path / "report.docx"
    file.write_bytes(
        made_docx(
            f"---\ntitle: On heat\nauthor: [Ann Lee, Bo]\ndate: 31 May 2024\n---\n# First\n\n**{FIRST}**\n\n- {SECOND}\n"
        )
    )

    document = await read_file(file)

    assert (document.title, document.author, document.date) == ("On heat", "Ann Lee, Bo", "2024-05-31")
    assert document.text.startswith(f"First\n\n{FIRST}\n\n- {SECOND}")


async def test_a_word_file_without_a_title_has_none():
    document = await read_page(fetched("docx", made_docx(FIRST)))

    assert (document.title, document.text) == ("", FIRST)


async def test_what_is_no_word_file_says_so():
    with pytest.raises(SourceUnreadable, match="not a valid Word document"):
        await read_page(fetched("docx", b"\xd0\xcf\x11\xe0 an old .doc"))


async def test_a_word_file_that_unpacks_to_far_more_is_given_up():
    bomb = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(made_docx(FIRST))) as source,
        zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for name in source.namelist():
            content = source.read(name)
            if name == "word/document.xml":
                content = content.replace(
                    b"</w:body>", b"<w:p><w:r><w:t>" + b"x" * 100_000_000 + b"</w:t></w:r></w:p></w:body>"
                )
            target.writestr(name, content)

    with pytest.raises(SourceUnreadable, match="too large"):
        await read_page(fetched("docx", bomb.getvalue()))


async def test_a_document_that_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(documents, "SECONDS", 0.01)
    with pytest.raises(SourceUnreadable, match="Split it"):
        await read_page(fetched("pdf", made_pdf(FIRST)))


async def test_a_file_that_is_gone_or_of_another_kind_says_so(tmp_path: Path):
    with pytest.raises(SourceUnreadable, match="Upload it again"):
        await read_file(tmp_path / "gone.txt")
    with pytest.raises(SourceUnreadable, match=r"cannot read \.xlsx files"):
        await read_file(tmp_path / "table.xlsx")


async def test_a_program_is_stopped_when_its_time_is_up():
    begun = time.monotonic()
    with pytest.raises(TimeoutError):
        await run_sandboxed([sys.executable, "-c", "import time; time.sleep(30)"], b"", seconds=0.3, max_output=10)
    assert time.monotonic() - begun < 20


def test_a_program_ends_with_the_process_that_started_it():
    reader = [sys.executable, "-c", "import time; time.sleep(120)"]
    reading = f"run_sandboxed({reader}, b'', seconds=120, max_output=1)"
    job = f"import asyncio; from agents.research.sandbox import run_sandboxed; asyncio.run({reading})"
    started = subprocess.Popen([sys.executable, "-c", job], cwd=ROOT)
    wait_until(lambda: bool(psutil.Process(started.pid).children()))
    (program,) = psutil.Process(started.pid).children()
    started.kill()
    started.wait()
    wait_until(lambda: not program.is_running() or program.status() == psutil.STATUS_ZOMBIE, seconds=30)


async def test_a_program_that_writes_without_end_is_stopped():
    outcome = await run_sandboxed(["yes"], b"", seconds=10, max_output=1000)

    assert (len(outcome.output), outcome.code) == (1000, None)


async def test_a_program_need_not_read_what_it_is_given():
    outcome = await run_sandboxed(
        [sys.executable, "-c", "print('done')"], bytes(5_000_000), seconds=10, max_output=1000
    )

    assert (outcome.output, outcome.code) == (b"done\n", 0)


def page_with_attributes(count: int) -> str:
    attributes = " ".join(f'a{number}="x"' for number in range(count))
    return page("Attributes", FIRST, SECOND).replace("<article>", f"<article {attributes}>")


@pytest.mark.parametrize(
    ("markup", "harmless"),
    [
        (page_with_attributes(100), True),
        (page_with_attributes(20_000), False),
        (f'<p x=">" {"a " * 20_000}>', False),
        (f"<p {'/a' * 20_000}>", False),
        ("<p>" * 20_001, False),
        ("<p>" + "word " * 1_000 + "</p>", True),
        ("<p>" + "x" * 1_600_000, False),
    ],
)
def test_only_pages_that_take_little_time_are_parsed_in_this_process(markup: str, harmless: bool):
    assert html.is_harmless(markup) is harmless


async def test_a_page_of_many_attributes_is_read_in_a_process_of_its_own(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(documents, "extract", None)  # not called
    found = await read_page(fetched("html", page_with_attributes(3_000).encode()))
    assert FIRST in found.text


async def test_a_page_that_takes_the_parser_minutes_is_given_up(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(documents, "SECONDS", 1.0)
    longest = 0.0

    async def watch_the_loop() -> None:
        nonlocal longest
        while True:
            began = time.perf_counter()
            await asyncio.sleep(0.01)
            longest = max(longest, time.perf_counter() - began)

    watching = asyncio.create_task(watch_the_loop())
    with pytest.raises(SourceUnreadable, match="could not be read within 1 second"):
        await read_page(fetched("html", page_with_attributes(100_000).encode()))
    watching.cancel()
    assert longest < 5, "the event loop stood still"
