"""Web pages, uploaded texts and Word files are read with what they state about themselves."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from agents.exceptions import SourceUnreadable
from agents.research.documents import read_file, read_page
from agents.research.fetch import Fetched
from tests.agents.documents import FIRST, SECOND, fetched, made_docx
from tests.agents.fixtures.loopback import page


async def test_a_web_page_is_read_without_its_menu() -> None:
    document = await read_page(fetched("html", page("How heat pumps work", FIRST, SECOND, "Ünïcödé it is.").encode()))

    assert (document.title, document.url) == ("How heat pumps work", "https://example.org/page")
    assert FIRST in document.text
    assert "Ünïcödé" in document.text
    assert "About" not in document.text
    assert "\n" in document.text


async def test_a_page_tells_its_author_and_date_and_none_is_guessed() -> None:
    head = '<meta name="author" content="Ann Lee"><meta property="article:published_time" content="2024-05-06">'
    told = await read_page(fetched("html", page("T", FIRST, SECOND).replace("<head>", f"<head>{head}").encode()))
    untold = await read_page(fetched("html", page("T", FIRST, SECOND, "Seen on 3 May 2021.").encode()))

    assert (told.author, told.date) == ("Ann Lee", "2024-05-06")
    assert (untold.author, untold.date) == ("", "")


@pytest.mark.parametrize("markup", ["", "<html><body></body></html>", "<html><body><script>x()</script></body></html>"])
async def test_a_page_without_text_says_so(markup: str) -> None:
    with pytest.raises(SourceUnreadable, match="no readable text"):
        await read_page(fetched("html", markup.encode()))


async def test_a_picture_is_no_document() -> None:
    with pytest.raises(SourceUnreadable, match="cannot read image/png files"):
        await read_page(Fetched("https://example.org/a", "image/png", b"\x89PNG"))


async def test_a_page_of_countless_tags_is_refused_at_once() -> None:
    with pytest.raises(SourceUnreadable, match="too long"):
        await read_page(fetched("html", b"<a href=x>a</a> " * 100_000))


async def test_a_page_that_breaks_the_parser_is_unreadable_and_logged(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*args: object, **kwargs: object) -> None:
        raise RecursionError

    monkeypatch.setattr("trafilatura.bare_extraction", broken)
    with pytest.raises(SourceUnreadable, match="could not be parsed"):
        await read_page(fetched("html", page("T", FIRST).encode()))
    assert "could not be parsed" in caplog.text


async def test_an_uploaded_text_is_read(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text(f"{FIRST}\n")

    assert (await read_file(file)).text == FIRST


async def test_markdown_is_read_without_its_marks(tmp_path: Path) -> None:
    file = tmp_path / "notes.md"
    file.write_text(f"# The *title* #\n\n**{FIRST}**\n\n- see [here](https://example.org)\n\n> {SECOND}\n")

    document = await read_file(file)

    assert document.title == "The *title*"
    assert FIRST in document.text.split("\n")
    assert "- see here" in document.text
    assert "https" not in document.text


@pytest.mark.parametrize(
    ("head", "publisher", "kind"),
    [
        ('<meta property="og:site_name" content="The Daily">', "The Daily", ""),
        ('<script type="application/ld+json">{"@type": "NewsArticle", "headline": "T"}</script>', "", "press"),
        ('<meta name="citation_journal_title" content="Heat">', "", "study"),
        ('<meta property="og:type" content="article">', "", ""),
    ],
)
async def test_a_page_states_its_publisher_and_kind(head: str, publisher: str, kind: str) -> None:
    markup = page("T", FIRST, SECOND).replace("<head>", f"<head>{head}")
    document = await read_page(fetched("html", markup.encode()))
    assert document.kind == kind
    assert publisher in document.publisher


async def test_a_word_file_is_read_with_its_title(tmp_path: Path) -> None:
    file = tmp_path / "report.docx"
    file.write_bytes(
        made_docx(
            f"---\ntitle: On heat\nauthor: [Ann Lee, Bo]\ndate: 31 May 2024\n---\n# First\n\n**{FIRST}**\n\n- {SECOND}\n"
        )
    )

    document = await read_file(file)

    assert (document.title, document.author, document.date) == ("On heat", "Ann Lee, Bo", "2024-05-31")
    assert document.text.startswith(f"First\n\n{FIRST}\n\n- {SECOND}")


async def test_a_word_file_without_a_title_has_none() -> None:
    document = await read_page(fetched("docx", made_docx(FIRST)))

    assert (document.title, document.text) == ("", FIRST)


async def test_what_is_no_word_file_says_so() -> None:
    with pytest.raises(SourceUnreadable, match="not a valid Word document"):
        await read_page(fetched("docx", b"\xd0\xcf\x11\xe0 an old .doc"))


async def test_a_word_file_that_unpacks_to_far_more_is_given_up() -> None:
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


async def test_a_file_that_is_gone_or_of_another_kind_says_so(tmp_path: Path) -> None:
    with pytest.raises(SourceUnreadable, match="Upload it again"):
        await read_file(tmp_path / "gone.txt")
    with pytest.raises(SourceUnreadable, match=r"cannot read \.xlsx files"):
        await read_file(tmp_path / "table.xlsx")
