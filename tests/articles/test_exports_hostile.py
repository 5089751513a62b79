"""Exports of hostile, malformed and very large texts."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
import typst

from articles.exceptions import ExportFailed
from articles.exports import FORMATS, export, pandoc, typesetting, typst_child
from tests.articles.export_samples import ARTICLE, BINARY, article, attempt, parts, words

HOSTILE = """
<script>alert(1)</script> <img src="/etc/passwd">

[a](javascript:alert(1)) [b](file:///etc/passwd) [c](#nowhere) [](https://a.example/empty)

![passwd](/etc/passwd) ![web](http://127.0.0.1:9/pixel.png) ![media](/media/x.png)

#read("/etc/passwd") #import "@preview/cetz:0.1.0" $ x $ @nobody \\#eval("1")

```{=typst}
#read("/etc/passwd")
```

`#read("/etc/passwd")`{=typst} \\input{/etc/passwd} ${title} $title$

a[^1](b)[c] again[^1](b)[c]

[^1]: #image("/etc/passwd") ![p](/etc/passwd)
"""


@pytest.mark.parametrize("format", BINARY)
def test_hostile_text_is_exported_as_text(format: str) -> None:
    title = '#read("/etc/passwd") <script>alert(1)</script> $x$ "'
    hostile = replace(ARTICLE, markdown=HOSTILE, title=title, author=title, description=title, keywords=(title,))
    file = export(hostile, format)
    assert "root:" not in words(file, format)
    assert "nobody" in words(file, format)
    if format != "pdf":
        everything = "".join(parts(file).values())
        assert not re.search(r"<script|javascript:alert\(1\)[\"']|file:///|<w:instrText>(?! NOTEREF)", everything)
        assert "127.0.0.1:9" not in everything


def test_a_link_without_text_shows_its_address() -> None:
    assert "https://a.example/empty" in words(export(article(HOSTILE), "docx"), "docx")


UNPRINTABLE = "a\0b\x08\ufffe\ud800c"


@pytest.mark.parametrize("format", FORMATS)
def test_invalid_characters_are_removed(format: str) -> None:
    odd = replace(
        ARTICLE, markdown=UNPRINTABLE, title="\0", author=UNPRINTABLE, language=UNPRINTABLE, keywords=("\ud800",)
    )
    shown = words(export(odd, format), format)
    assert "abc" in shown
    assert "Untitled" in shown


@pytest.mark.parametrize("format", BINARY)
def test_headings_in_quotations_and_empty_headings_are_exported(format: str) -> None:
    markdown = "# A\n\n##\n\n### ![](x.png)\n\n> ### Within\n>\n> x\n\n- ##### Deeper\n\n## B"
    assert "Within" in words(export(article(markdown), format), format)


def test_a_footnote_may_refer_to_itself() -> None:
    assert "about itself" in words(export(article("a[^1]\n\n[^1]: about itself[^1]\n"), "docx"), "docx")


def test_pdf_removes_symbols_without_a_font_and_keeps_the_text() -> None:
    markdown = "Grow 🌱🌱 and see 👩\u200d🌾 👍🏽 🏴\U000e0067\U000e007f 🇻🇳, steps 1\ufe0f\u20e3 and 2\ufe0f\u20e3."
    shown = words(export(article(markdown, title="A 🌱 title"), "pdf"), "pdf")
    assert "steps 1 and 2" in shown
    assert "title" in shown


@pytest.mark.parametrize(("letters", "package"), [("日本語", "fonts-noto-cjk"), ("ᠮᠣᠩᠭᠣᠯ", "fonts-noto-core")])
def test_pdf_reports_the_missing_font(letters: str, package: str) -> None:
    """If a font of the script is installed, the letters must be in the file."""
    file, reason = attempt(article(f"Word {letters}."), "pdf")
    assert letters[0] in (words(file, "pdf") if file else reason)
    assert file or package in reason


@pytest.mark.parametrize("format", ["docx", "epub", "html", "md"])
def test_other_formats_contain_any_script(format: str) -> None:
    assert "日本語" in words(export(article("日本語", language="ja"), format), format)


@pytest.mark.parametrize("language", ["", "x", "de", "pt-BR", "zh-Hant-TW", '"]#read("x")'])
def test_pdf_accepts_any_language_tag(language: str) -> None:
    assert export(article("Text.", language=language), "pdf").startswith(b"%PDF")


@pytest.mark.parametrize("format", BINARY)
@pytest.mark.parametrize(
    "markdown", ["", "[" * 5000, "*a " * 5000, "- " * 200 + "a", "|a" * 300 + "|\n" + "|-" * 300 + "|\n"]
)
def test_malformed_texts_give_a_file_or_a_message(markdown: str, format: str) -> None:
    file, reason = attempt(article(markdown), format)
    assert file or reason.endswith(".")


def test_a_text_nested_too_deeply_is_refused() -> None:
    with pytest.raises(ExportFailed, match="nested too deeply"):
        export(article(">" * 3000 + " a"), "docx")


def test_pandoc_is_stopped_after_its_time_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pandoc, "SECONDS", 0.001)
    with pytest.raises(ExportFailed, match="took longer than"):
        export(ARTICLE, "docx")


def test_the_compiler_is_stopped_after_its_time_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(typesetting, "SECONDS", 0.001)
    with pytest.raises(ExportFailed, match="took longer than"):
        export(ARTICLE, "pdf")


def test_pandoc_is_stopped_at_its_memory_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pandoc, "LIMITS", ("+RTS", "-M8m", "-RTS"))
    with pytest.raises(ExportFailed, match="could not be converted"):
        export(article("[^1] " * 3000 + "\n\n[^1]: " + "word " * 2000), "docx")


def test_a_crash_of_the_compiler_is_reported(tmp_path: Path) -> None:
    with pytest.raises(ExportFailed, match="could not be created"):
        typesetting.compile_pdf("#let f(n) = f(n + 1)\n#f(0)", ARTICLE, tmp_path)
    with pytest.raises(ExportFailed, match="could not be created"):
        typesetting.compile_pdf("#let a = " + "(" * 200_000, ARTICLE, tmp_path)


def test_a_killed_compiler_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    killed = tmp_path / "killed.py"
    killed.write_text("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n")
    monkeypatch.setattr(typesetting, "COMPILER", killed)
    with pytest.raises(ExportFailed, match=r"stopped \(-9\)"):
        export(ARTICLE, "pdf")


def test_the_compiler_removes_symbols_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    typst_child.compile_pdf(
        {"source": '#set document(title: "t")\nA \U0001f469\u200d\U0001f33e 1\ufe0f\u20e3', "title": "t"}
    )
    assert words((tmp_path / "article.pdf").read_bytes(), "pdf").split() == ["A", "1"]
    with pytest.raises(typst.TypstError) as caught:
        typst_child.compile_pdf({"source": '#set document(title: "t")\n\u182e'})
    assert typst_child.missing_text(caught.value) == "\u182e"
    with pytest.raises(typst.TypstError, match="unknown variable"):
        typst_child.compile_pdf({"source": "#nothing"})


def test_the_compiler_cannot_read_outside_its_folder(tmp_path: Path) -> None:
    with pytest.raises(ExportFailed):
        typesetting.compile_pdf('#read("/../../../../etc/passwd")', ARTICLE, tmp_path)
