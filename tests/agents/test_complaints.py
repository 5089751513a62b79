"""What people complain about in other tools for research and writing: citations that are invented, shifted or left literal."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

import pytest

from agents.contract import Passage, Reading, Source
from agents.crew.crew import StudioCrew
from agents.exceptions import ModelError
from agents.pipeline.recipe import produce
from agents.text.citations import compile_references, strip_stray_citations, strip_unknown_marks
from agents.text.evidence import cited_sentences, compare_with_passages
from agents.text.links import strip_unknown_links
from articles.exports import FORMATS, Document, export
from tests import prompts
from tests.agents.recipes import BRIEF, MemoryJournal, dependencies
from tests.articles.export_samples import words
from tests.growth import in_proportion
from tests.model_server import ModelServer

READ_AT = datetime(2026, 11, 22, tzinfo=UTC)
FIGURES = {number: 1000 + 37 * number for number in range(1, 11)}


def ten_sources() -> Reading:
    """Ten sources with one passage each, which states a figure of its own."""
    return Reading(
        sources=[
            Source(
                number=n,
                title=f"Report of town {n}",
                url=f"https://town-{n}.example/report",
                read_at=READ_AT,
                sha256=f"{n:064}",
            )
            for n in FIGURES
        ],
        passages=[
            Passage(id=f"S{n}", source=n, start=0, end=40, text=f"The town has {figure} trees in its streets.")
            for n, figure in FIGURES.items()
        ],
    )


def cleaned(text: str, known: set[str]) -> str:
    return strip_stray_citations(strip_unknown_marks(text, known))


async def test_without_sources_nothing_is_cited_and_no_address_is_invented(
    crew: StudioCrew, model_server: ModelServer
) -> None:
    model_server.fail(match=prompts.WRITE, text="Roofs hold rain [S1]. Gardens grow [1]. " + "And on. " * 90)
    made = await produce(BRIEF, MemoryJournal(), dependencies(crew, Reading()))
    assert not re.search(r"\[\^|\[S?\d|https?://", made.content)
    assert not made.references
    assert any("no citations" in notice for notice in made.notices)


def test_invented_addresses_are_removed() -> None:
    text = (
        "Read [the study](https://example.com/fake), <https://example.com/b> or [ours](https://www.town-1.example/report/)."
        " See (https://example.org/c). ![x](https://example.com/i.png) `https://example.com/code`"
    )
    assert strip_unknown_links(text, ["http://town-1.example/report"]) == (
        "Read the study, or [ours](https://www.town-1.example/report/). See.  `https://example.com/code`"
    )


def test_removing_addresses_takes_linear_time() -> None:
    for unit in ("[a](https://b.example/", "https://a.example/ ", "[", "![[](", "(https://"):
        assert in_proportion(lambda text: strip_unknown_links(text, []), unit, 3000)


@pytest.mark.parametrize("format", FORMATS)
def test_marks_of_documents_that_do_not_exist_reach_no_file(format: str) -> None:
    text, references = compile_references(
        cleaned("Trees grow [S99]. They age [^9]. They fall [7][S2].", {"S2"}), ten_sources()
    )
    file = words(export(Document(title="Trees", markdown=text, author="A", date=date(2026, 11, 22)), format), format)
    assert [reference.source for reference in references] == [2]
    assert not re.search(r"S99|\^9|\[7\]", file)


def test_each_citation_leads_to_the_source_that_states_its_figure() -> None:
    reading = ten_sources()
    order = [7, 3, 10, 1, 9, 2, 8, 5, 4, 6]
    text = "\n\n".join(f"Town {'ABCDEFGHIJ'[n - 1]} has {FIGURES[n]} trees [S{n}]." for n in order)
    content, references = compile_references(text, reading)
    source_of = {reference.number: reference.source for reference in references}
    cited = re.findall(r"has (\d+) trees\.\[\^(\d+)\]", content)
    assert [(int(figure), source_of[int(number)]) for figure, number in cited] == [(FIGURES[n], n) for n in order]
    for number, owner in source_of.items():
        assert f"[^{number}]: Report of town {owner}." in content
        assert f"https://town-{owner}.example/report" in content


def test_a_citation_of_another_source_is_refuted() -> None:
    passages = {passage.id: passage for passage in ten_sources().passages}
    right = [f"Town X has {figure} trees [S{n}]." for n, figure in FIGURES.items()]
    wrong = [f"Town X has {figure} trees [S{n % 10 + 1}]." for n, figure in FIGURES.items()]
    verdicts = [compare_with_passages(cited, passages) for cited in cited_sentences(" ".join([*right, *wrong]))]
    assert [verdict and verdict[0] for verdict in verdicts] == [None] * 10 + ["not"] * 10


@pytest.mark.parametrize("format", FORMATS)
def test_the_list_of_references_is_exactly_what_is_cited(format: str) -> None:
    content, _ = compile_references("One [S3]. Two [S1]. Again [S3].", ten_sources())
    file = words(export(Document(title="Trees", markdown=content, author="A", date=date(2026, 11, 22)), format), format)
    flat = re.sub(r"\s+", " ", file)
    listed = set(re.findall(r"Report of town (\d+)", flat))
    assert listed == {"3", "1"}
    assert set(re.findall(r"town-(\d+)\.example", flat)) == {"3", "1"}


def test_a_reference_is_the_page_that_was_read_not_one_it_mentions() -> None:
    reading = ten_sources()
    foreign = "The town has 1037 trees (Miller 2019, https://doi.org/10.1000/other.77, doi:10.1000/other.77)."
    passages = [reading.passages[0].model_copy(update={"text": foreign}), *reading.passages[1:]]
    content, (reference,) = compile_references(
        "It has 1037 trees [S1].", reading.model_copy(update={"passages": passages})
    )
    assert reference.url == "https://town-1.example/report"
    assert "10.1000" not in content


@pytest.mark.parametrize(
    "mark",
    [
        *("[ 1 ]", "【1】", "(Source 1)", "[1-3]", "[Source 1]", "(Quelle 2)", "【1†source】", "[[1]]"),
        *("(see sources 1 and 2)", "[^9]", "[S77]", "{S77}"),
    ],
)
def test_a_mark_in_another_form_that_names_no_passage_is_dropped(mark: str) -> None:
    text = cleaned(f"Roofs hold rain {mark}. They are flat.", {"S1", "S2"})
    assert compile_references(text, ten_sources())[0].strip() == "Roofs hold rain. They are flat."


@pytest.mark.parametrize(
    "mark", ["[S1, S2]", "[ S1 ]", "【S1】", "(S1)", "[S1-S2]", "[source: S1]", "{S1}", "[S1][S2]"]
)
def test_a_mark_in_another_form_that_names_a_passage_is_mapped(mark: str) -> None:
    text, references = compile_references(
        cleaned(f"Roofs hold rain {mark}. They are flat.", {"S1", "S2"}), ten_sources()
    )
    assert text.startswith("Roofs hold rain.[^1]")
    assert references[0].source == 1


@pytest.mark.parametrize(
    "kept", ["(Table 1)", "the source 1 m away", "(two sources)", "`a [1] = 2`", "[1](https://a.example)", "(1)"]
)
def test_what_is_no_citation_stays(kept: str) -> None:
    assert cleaned(f"See {kept} here.", set()) == f"See {kept} here."


async def test_answers_that_are_always_cut_off_make_no_article(crew: StudioCrew, model_server: ModelServer) -> None:
    model_server.fail(match=prompts.WRITE, text="Roofs hold rain and so", finish_reason="length", times=999)
    journal = MemoryJournal()
    with pytest.raises(ModelError, match="cut off at the token limit"):
        await produce(BRIEF, journal, dependencies(crew))
    assert not journal.steps("edit")
