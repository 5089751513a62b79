"""Marks become numbered references that hold in both renderers, whatever a model or the web wrote."""

from __future__ import annotations

import json
import random
import subprocess
from datetime import UTC, datetime
from typing import Any

import pypandoc
import pytest
from markdown_it import MarkdownIt
from mdit_py_plugins.footnote import footnote_plugin

from agents.contract import Passage, Reading, Reference, Source
from agents.text.citations import (
    cited_ids,
    compile_references,
    strip_stray_citations,
    strip_unknown_marks,
    uncited_sources,
)
from agents.text.escaping import escape_markdown
from tests.growth import in_proportion

READ_AT = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)


def source(number: int, title: str = "", **more: Any) -> Source:
    return Source(number=number, title=title or f"Source {number}", read_at=READ_AT, sha256="0" * 64, **more)


def reading(*sources: Source, passages: dict[int, list[int]] | None = None) -> Reading:
    """A reading whose passages are given as numbers by source; by default S1–S3 of the first and S4–S5 of the second."""
    of_source = passages or {1: [1, 2, 3], 2: [4, 5]}
    return Reading(
        sources=list(sources) or [source(1, url="https://one.example/a"), source(2, brief_source=7)],
        passages=[
            Passage(id=f"S{number}", source=owner, start=0, end=4, text="text")
            for owner, numbers in of_source.items()
            for number in numbers
        ],
    )


def compiled(text: str) -> str:
    """The compiled text without its list of references."""
    return compile_references(text, reading())[0].split("\n\n[^1]:")[0]


def footnotes_on_the_page(markdown: str) -> tuple[list[str], list[str]]:
    """Labels in order of first use, and labels defined, as the page's renderer sees them."""
    env: dict[str, Any] = {}
    MarkdownIt("commonmark", {"html": False}).enable("table").use(footnote_plugin).parse(markdown, env)
    found = env.get("footnotes", {})
    used = [note["label"] for _, note in sorted(found.get("list", {}).items())]
    return used, [label.removeprefix(":") for label in found.get("refs", {})]


def blocks_in_exports(markdown: str) -> list[Any]:
    command = [pypandoc.get_pandoc_path(), "-f", "markdown-raw_html", "-t", "json", "--sandbox"]
    answer = subprocess.run(command, input=markdown, capture_output=True, text=True, check=True, timeout=30)
    blocks: list[Any] = json.loads(answer.stdout)["blocks"]
    return blocks


def notes_in(node: Any) -> list[Any]:
    if isinstance(node, list):
        return [note for child in node for note in notes_in(child)]
    if not isinstance(node, dict):
        return []
    return [node["c"]] if node["t"] == "Note" else notes_in(node.get("c"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One [S3].", ["S3"]),
        ("Two [S3, S4] and more [S5; S6].", ["S3", "S4", "S5", "S6"]),
        ("Side by side [S3][S4]", ["S3", "S4"]),
        ("Small [s3], with a space [S 4]", ["S3", "S4"]),
        ("Like a footnote [^S3], full-width 【S4】 and ［S5］", ["S3", "S4", "S5"]),
        ("A range [S2-S4], with a dash [S7–S8]", ["S2", "S3", "S4", "S7", "S8"]),
        ("A senseless range [S1-S99999]", ["S1"]),
        ("Again [S3], and again [S3].", ["S3", "S3"]),
        ("With a link [S3](https://evil.example/S9)", ["S3"]),
        ("The bucket f(S3), S3, [S], [3], [SS3] and \\[S3] are none", []),
        ("In code `[S3]` or\n\n```\n[S4]\n```\n\n    [S5]\n\nnot.", []),
        ("A stray ` here [S3]\n\nand ` there [S4]", ["S3", "S4"]),
        ("", []),
    ],
)
def test_it_finds_the_marks_models_write(text: str, expected: list[str]) -> None:
    assert cited_ids(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Known [S1], unknown [S9].", "Known [S1], unknown."),
        ("Mixed [S1, S9, S3].", "Mixed [S1, S3]."),
        ("At the end [S9]", "At the end"),
        ("Both [S9][S8] gone.", "Both gone."),
        ("After the stop. [S9] Next [S1].", "After the stop. Next [S1]."),
        ("Code `x[S9]` stays.", "Code `x[S9]` stays."),
        ("Wrapped 【S9】, and 【s1】.", "Wrapped, and [S1]."),
    ],
)
def test_it_strips_marks_of_passages_that_do_not_exist(text: str, expected: str) -> None:
    assert strip_unknown_marks(text, ["S1", "S3"]) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A word [S3].", "A word.[^1]"),
        ("A word. [S3] Next one [S4]!", "A word.[^1] Next one![^2]"),
        ("A word [S1], then [S2]; more.", "A word,[^1] then;[^1] more."),
        ("Merged [S1][S2], [S3].", "Merged.[^1]"),
        ("Two sources [S4, S1].", "Two sources.[^1][^2]"),
        ("Before [S1]. [S4] After.", "Before.[^1][^2] After."),
        ("In brackets (so they say [S1]).", "In brackets (so they say[^1])."),
        ("文字 [S1]。次[S4]。", "文字。[^1]次。[^2]"),
        ("Unknown [S9]. Known [S1].", "Unknown. Known.[^1]"),
        ("- [S1] says so", "- [^1] says so"),
        ("[S1]: the bees", "[^1]\\: the bees"),
        ("Said [S1](see below)", "Said[^1]\\(see below)"),
        ("A backslash\\ [S1]", "A backslash\\ [^1]"),
        ("Linked [S1](https://evil.example).", "Linked.[^1]"),
        ("Ticks `[S9]`` that must not meet [S1]", "Ticks ` `` that must not meet[^1]"),
        ("Code `[S1]` stays, prose does not [S1].", "Code `[S1]` stays, prose does not.[^1]"),
    ],
)
def test_a_mark_becomes_a_number_behind_the_punctuation(text: str, expected: str) -> None:
    assert compiled(text) == expected


def test_sources_are_numbered_as_they_are_first_cited() -> None:
    text, references = compile_references("Later [S4]. First [S2][S1]. Again [S5], [S2].", reading())
    assert references == [
        Reference(number=1, source=2, title="Source 2", passages=["S4", "S5"]),
        Reference(number=2, source=1, title="Source 1", url="https://one.example/a", passages=["S2", "S1"]),
    ]
    assert text == (
        "Later.[^1] First.[^2] Again.[^1][^2]\n\n"
        "[^1]: Source 2. Provided with the brief, read 22 November 2026.\n"
        "[^2]: Source 1. Accessed 22 November 2026. <https://one.example/a>.\n"
    )


def test_a_reference_says_what_is_known_of_its_source_and_the_pages_cited() -> None:
    made = reading(
        source(1, "Bees", publisher="Institute", author="K. von Frisch", date="2024-05", url="https://b.example/a.pdf"),
        passages={1: [1, 2, 3]},
    )
    for passage, page in zip(made.passages, (17, 0, 4), strict=True):
        passage.page = page
    text, references = compile_references("So [S1]. Then [S3].\n\nAnd [S2].", made)
    assert references == [
        Reference(
            number=1,
            source=1,
            title="Bees",
            url="https://b.example/a.pdf",
            publisher="Institute",
            author="K. von Frisch",
            date="2024-05",
            passages=["S1", "S3", "S2"],
            pages={"S1": 17, "S3": 4},
        )
    ]
    assert text.endswith(
        "[^1]: Bees. Institute, K. von Frisch, May 2024. <https://b.example/a.pdf#page=4>. pp. 4, 17.\n"
    )


def test_the_list_and_the_quotation_marks_are_in_the_language_of_the_article() -> None:
    text, _ = compile_references('Es heißt "sparsam" [S1].', reading(source(1, 'On "roofs"', brief_source=3)), "de")
    assert text == (
        'Es heißt „sparsam“.[^1]\n\n[^1]: On "roofs". Mit dem Auftrag übergeben, gelesen am 22. November 2026.\n'
    )


def test_only_what_is_cited_is_listed() -> None:
    text, references = compile_references("Nothing rests on [S9] anything.", reading())
    assert text == "Nothing rests on anything."
    assert references == []


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "file:///etc/passwd", "https://[broken", "//x.example", "https:///x"]
)
def test_an_address_a_reader_must_not_be_sent_to_is_left_out(url: str) -> None:
    text, _ = compile_references("So [S1].", reading(source(1, "T", url=url), passages={1: [1]}))
    assert text == "So.[^1]\n\n[^1]: T. Accessed 22 November 2026.\n"


@pytest.mark.parametrize(
    "title",
    [
        "A [link](javascript:alert(1)) | a cell",
        "# Heading\n\n- item\n\n[^2]: more",
        "1. first <script>alert(1)</script> `code` *star* ~~x~~ $x$ @cite &amp; ^[n]",
        "\\",
        "“]” [^1] ![x](y)",
        "2024. A title \ud800\x00\u2028 end",
    ],
)
def test_a_hostile_title_shows_as_plain_text(title: str) -> None:
    text, _ = compile_references(
        "So [S1].", reading(source(1, title, url="https://x.example/a_*b*>c d"), passages={1: [1]})
    )
    [note] = notes_in(blocks_in_exports(text))
    assert [block["t"] for block in note] == ["Para"]
    kinds = {inline["t"] for inline in note[0]["c"]}
    assert kinds <= {"Str", "Space", "Link", "Quoted", "SoftBreak"}
    assert sum(inline["t"] == "Link" for inline in note[0]["c"]) == 1
    assert footnotes_on_the_page(text) == (["1"], ["1"])


def test_a_source_without_title_is_called_untitled_and_a_long_one_is_cut() -> None:
    untitled = source(1).model_copy(update={"title": " "})
    text, _ = compile_references("A [S1]. B [S4].", reading(untitled, source(2, "x" * 900)))
    assert "[^1]: Untitled. " in text
    assert "x" * 199 + "… " in text


def test_footnotes_of_the_writers_own_do_not_take_our_numbers() -> None:
    text = (
        "Own[^1] and named[^note], inline^[so [S1]], cited[^S4], undefined[^7].\n\n"
        "[^1]: Mine.\n[^note]: Another\n    with a second line.\n> [^quoted]: third\n\n- [^1]: listed\n\n[S4]: https://evil.example\n"
    )
    result, _ = compile_references(text, reading())
    assert footnotes_on_the_page(result) == (["1", "2"], ["1", "2"])
    assert result.startswith("Own and named, inline^\\[so[^1]], cited,[^2] undefined.\n")
    assert "evil" not in result
    assert "second line" not in result


def test_a_fence_left_open_does_not_swallow_the_references() -> None:
    for open_fence in ("```\ncode [S1]", "```", "~~~~python\nx\n~~~"):
        result, _ = compile_references(f"Cited [S1].\n\n{open_fence}", reading())
        assert footnotes_on_the_page(result) == (["1"], ["1"]), open_fence
    assert compiled("Closed [S1].\n\n```\nx\n```") == "Closed.[^1]\n\n```\nx\n```"


def test_an_exclamation_before_a_number_makes_no_picture() -> None:
    result, _ = compile_references("Wow! [S1] So [S4]!", reading())
    assert footnotes_on_the_page(result)[0] == ["1", "2"]
    assert len(notes_in(blocks_in_exports(result))) == 2


def test_every_number_has_one_definition_and_every_definition_a_number() -> None:
    fragments = [
        "A sentence [S1].", "Two [S2, S4] here.", "Lost [S9].", "Own[^1] note.", "[^x]: defined", "`code [S1]`", "stray ` tick",
        "\n\n", "\n", "- [S3] item", "1. item [S5]", "> quoted [S4]", "## Heading [S1]", "```\nfenced [S1]\n```",
        "![S2]", "[[S3]]",
        "| a [S1] | b |", "(aside [S4])", "[S1]: starts", "^[inline]", "\\", "[link](https://x.example) [S1]", "**bold [S2]**",
    ]  # fmt: skip
    chance = random.Random(7)
    for _ in range(500):
        text = " ".join(chance.choices(fragments, k=chance.randint(1, 12)))
        result, references = compile_references(text, reading())
        numbers = [str(reference.number) for reference in references]
        used, defined = footnotes_on_the_page(result)
        assert sorted(used) == sorted(defined) == sorted(numbers), text
        assert not {"S9"} & set(cited_ids(result)), text


@pytest.mark.parametrize(
    ("unit", "times", "end"),
    [("[S1", 20_000, ""), (" ", 50_000, "[S1]"), ("`", 50_000, ""), ("[^", 50_000, ""), ("[S1 and S1", 10_000, "")],
)
def test_text_made_to_be_slow_takes_no_longer_than_its_length_allows(unit: str, times: int, end: str) -> None:
    assert in_proportion(lambda text: compile_references(text, reading()), unit, times, end)
    assert in_proportion(lambda text: strip_unknown_marks(text, ()), unit, times, end)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Plain words, 3.5 % (of them) – fine!", "Plain words, 3.5 % (of them) – fine!"),
        ("a_b *c* [d](e) <f> `g`", "a\\_b \\*c\\* \\[d\\](e) \\<f\\> \\`g\\`"),
        ("1986. The year", "1986\\. The year"),
        ("a) first", "a\\) first"),
        ("Dr. Who & co", "Dr. Who & co"),
        ("&lt; is an entity", "\\&lt; is an entity"),
        ("# not a heading", "\\# not a heading"),
        ("two\n\nlines\x00", "two lines"),
    ],
)
def test_escaped_text_shows_its_own_characters(text: str, expected: str) -> None:
    assert escape_markdown(text) == expected


@pytest.mark.parametrize(
    "mark",
    ["[S1, S2, and S3]", "(S1)", "（S1）", "[Source S1]", "[see S1]", "[S1, p. 3]", "[S1|S2]"],
)
def test_marks_in_other_forms_are_marks_too(mark: str) -> None:
    assert cited_ids(f"A fact {mark}.")
    assert strip_unknown_marks(f"A fact {mark}.", ()) == "A fact."


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("A fact[0].", "A fact."),
        ("A fact [0][1].", "A fact."),
        ("句子[0]。", "句子。"),
        ("See [1] here.", "See here."),
        ("arr[0] is the first.", "arr[0] is the first."),
    ],
)
def test_stray_numbers_go_with_the_space_before_them(text: str, left: str) -> None:
    assert strip_stray_citations(text) == left


def test_a_long_list_that_is_never_closed_is_soon_read() -> None:
    assert cited_ids("[S" + "1 S" * 20_000) == []


def test_given_sources_without_a_cited_passage_are_named() -> None:
    sources = [source(1, brief_source=11), source(2, brief_source=12), source(3), source(4, brief_source=14)]
    passages = [Passage(id=f"S{number}", source=number, start=0, end=4, text="Word") for number in (1, 2, 3)]
    reading = Reading(sources=sources, passages=passages)
    assert [each.number for each in uncited_sources(reading, {"S1", "S9"})] == [2, 4]
    assert uncited_sources(Reading(), ["S1"]) == []
