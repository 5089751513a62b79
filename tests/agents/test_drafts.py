"""Drafts of several sections, or of a whole article, and how they are cut into their sections."""

from __future__ import annotations

import pytest

from agents.crew.crew import StudioCrew
from agents.pipeline.recipe import produce
from agents.pipeline.write import write
from agents.text.draft_sections import headings_of, opening_of, sections_of, with_headings
from agents.text.length import PART_WORDS, WHOLE_WORDS, length_score
from agents.text.markdown import count_words
from tests import prompts
from tests.agents.recipes import BRIEF, MemoryJournal, dependencies, draft_of, make_context, outline_of
from tests.agents.test_writing import VIETNAMESE
from tests.model_server import ModelServer

OUTLINE = outline_of("What roofs hold", "Who pays", "What it weighs", words=60)
LONG = "Roofs hold the rain of a whole summer night [S1]. " * 6


async def written(crew: StudioCrew, server: ModelServer, draft: str) -> list[str]:
    server.fail(match=prompts.WRITE, text=draft)
    return (await write(make_context(crew, writing="whole"), OUTLINE)).texts


async def test_it_is_cut_into_its_sections(crew: StudioCrew, model_server: ModelServer) -> None:
    texts = [f"{LONG}It was section {number}." for number in (1, 2, 3)]
    assert await written(crew, model_server, draft_of(*texts)) == texts
    assert len(model_server.calls) == 1
    assert "about 196 words" in model_server.calls[0].prompt, "with an introduction of 16 words"


@pytest.mark.parametrize(
    "second", ["", "Too short.", VIETNAMESE * 2, LONG + "And the"], ids=["none", "fragment", "foreign", "cut"]
)
async def test_a_section_it_lacks_is_written_alone(crew: StudioCrew, model_server: ModelServer, second: str) -> None:
    parts = {1: LONG, 2: second, 3: LONG}
    draft = "\n\n".join(f"## {n}. Heading\n\n{text}" for n, text in parts.items() if text)
    texts = await written(crew, model_server, draft)
    assert model_server.prompts(prompts.WRITE_SECTION) == model_server.prompts(prompts.write(2)) != []
    assert (texts[0], texts[2]) == (LONG.strip(), LONG.strip())
    assert count_words(texts[1]) >= 30


async def test_a_resumed_draft_is_not_written_again(crew: StudioCrew, model_server: ModelServer) -> None:
    journal = MemoryJournal()
    for _ in range(2):
        assert all((await write(make_context(crew, journal=journal, writing="whole"), OUTLINE)).texts)
    assert set(journal.done) == {"write:draft"}
    assert len(model_server.calls) == 1
    assert journal.planned["write"] == 2, "a second draft is written elsewhere"
    assert journal.drafts["write:draft"], "it is shown while it is written"


@pytest.mark.parametrize(("wish", "total"), [("whole", WHOLE_WORDS + 2), ("parallel", 900)])
async def test_a_longer_article_is_written_in_parts_and_so_is_any_without_the_wish(
    crew: StudioCrew, model_server: ModelServer, wish: str, total: int
) -> None:
    journal, outline = (
        MemoryJournal(),
        outline_of("Rain", "Heat", "Cost", "Beams", "Wind", "Soil", words=total // 6 + 1),
    )
    texts = (await write(make_context(crew, journal=journal, writing=wish, min_words=total), outline)).texts
    drafts = sorted(journal.done)
    assert drafts[0] == "write:draft:1"
    assert len(drafts) == len(model_server.prompts(prompts.WRITE)) == round(total / PART_WORDS)
    assert all(texts)
    assert journal.planned["write"] == len(drafts) + (total <= WHOLE_WORDS), "a shorter one has a second draft"


async def test_a_part_has_its_sections_alone(crew: StudioCrew, model_server: ModelServer) -> None:
    outline = outline_of("Rain", "Heat", "Cost", "Beams", words=250, points=["It holds 60 % [S1]."])
    model_server.fail(match="sections 1 to 2", text=draft_of(f"{LONG * 3}One.", f"{LONG * 3}Two."))
    model_server.fail(match="sections 3 to 4", text=draft_of(f"{LONG * 3}Three.", f"{LONG * 3}Four.", first=3))
    texts = (await write(make_context(crew, min_words=1000), outline)).texts
    assert [text.rpartition(" ")[2] for text in texts] == ["One.", "Two.", "Three.", "Four."]
    last, first = sorted(model_server.prompts(prompts.WRITE), key=lambda prompt: "Begin with the title" in prompt)
    assert "Begin with the title" not in last
    assert all("A colleague writes the other sections" in prompt for prompt in (first, last))
    assert not any("It holds 60 %" in prompt for prompt in (first, last)), "a person did not approve it"
    assert len(model_server.calls) == 2


TITLE, LEAD = (
    "Roofs hold most of the rain",
    "Whoever has a flat roof can plant it [S1].\n\nAn engineer looks at it first.",
)


class TestOpening:
    """The draft brings its own title and introduction."""

    async def test_it_is_taken_over(self, crew: StudioCrew, model_server: ModelServer) -> None:
        draft = draft_of(LONG, LONG, LONG, opening=f"# {TITLE}.\n\n{LEAD.replace('[S1]', '[S1, S99]')}")
        model_server.fail(match=prompts.WRITE, text=draft)
        made = await write(make_context(crew, writing="whole"), OUTLINE)
        assert (made.outline.title, made.lead) == (TITLE, LEAD)
        assert [section.heading for section in made.outline.sections] == ["Heading 1", "Heading 2", "Heading 3"]
        assert len(made.texts) == 3

    async def test_the_outline_takes_the_proportions_of_the_draft(
        self, crew: StudioCrew, model_server: ModelServer
    ) -> None:
        model_server.fail(match=prompts.WRITE, text=draft_of(LONG, LONG * 2, LONG, opening=f"# {TITLE}\n\n{LEAD}"))
        outline = outline_of("What roofs hold", "Who pays", "What it weighs", words=100)
        made = await write(make_context(crew, writing="whole"), outline)
        words = [section.words for section in made.outline.sections]
        assert sum(words) == 300
        assert words[1] > words[0] == pytest.approx(words[2], abs=1)

    async def test_what_a_person_approved_stays(self, crew: StudioCrew, model_server: ModelServer) -> None:
        model_server.fail(match=prompts.WRITE, text=draft_of(LONG, LONG * 2, LONG, opening=f"# {TITLE}\n\n{LEAD}"))
        made = await write(make_context(crew, writing="whole", approve_outline=True), OUTLINE)
        assert made.outline == OUTLINE
        assert made.lead == LEAD

    @pytest.mark.parametrize(
        "lead", [f"{LEAD} And then the", VIETNAMESE, ""], ids=["breaks off", "another language", "none"]
    )
    async def test_an_introduction_that_is_unsound_is_left_out(
        self, crew: StudioCrew, model_server: ModelServer, lead: str
    ) -> None:
        model_server.fail(match=prompts.WRITE, text=draft_of(LONG, LONG, LONG, opening=f"# {TITLE}\n\n{lead}"))
        made = await write(make_context(crew, writing="whole"), OUTLINE)
        assert (made.outline.title, made.lead) == (TITLE, "")

    async def test_without_a_title_or_with_headings_too_short_the_outlines_stay(
        self, crew: StudioCrew, model_server: ModelServer
    ) -> None:
        draft = draft_of(LONG, LONG, LONG, opening=LEAD).replace("Heading 2", "B").replace("Heading 3", "")
        model_server.fail(match=prompts.WRITE, text=draft)
        made = await write(make_context(crew, writing="whole"), OUTLINE)
        assert (made.outline.title, made.lead) == (OUTLINE.title, LEAD)
        assert [section.heading for section in made.outline.sections] == ["Heading 1", "Who pays", "What it weighs"]

    async def test_it_stands_in_the_part_of_the_first_section(
        self, crew: StudioCrew, model_server: ModelServer
    ) -> None:
        outline = outline_of("Rain", "Heat", "Cost", "Beams", words=250)
        first = draft_of(LONG * 3, LONG * 3, opening=f"# {TITLE}\n\n{LEAD}")
        model_server.fail(match="sections 1 to 2", text=first)
        model_server.fail(match="sections 3 to 4", text=draft_of(LONG * 3, LONG * 3, first=3, opening="# Another"))
        made = await write(make_context(crew, min_words=1000), outline)
        assert (made.outline.title, made.lead) == (TITLE, LEAD)
        assert [section.heading for section in made.outline.sections] == [f"Heading {n}" for n in range(1, 5)]

    async def test_a_draft_of_an_older_version_has_none(self, crew: StudioCrew, model_server: ModelServer) -> None:
        journal = MemoryJournal(done={"write:draft": {"markdown": draft_of(LONG, LONG, LONG)}})
        made = await write(make_context(crew, journal=journal, writing="whole"), OUTLINE)
        assert (made.outline.title, made.lead) == (OUTLINE.title, "")
        assert model_server.calls == []


async def test_sections_that_an_older_version_wrote_are_kept(crew: StudioCrew, model_server: ModelServer) -> None:
    """It wrote each section in a step of its own."""
    journal = MemoryJournal(done={"write:2": {"markdown": "As it was written."}})
    texts = (await write(make_context(crew, journal=journal), OUTLINE)).texts
    assert texts[1] == "As it was written."
    assert not model_server.prompts(prompts.WRITE)
    assert len(model_server.prompts(prompts.WRITE_SECTION)) == 2


async def test_an_article_of_one_draft_is_complete(crew: StudioCrew, model_server: ModelServer) -> None:
    model_server.choices.add("supported")
    made = await produce(BRIEF.model_copy(update={"writing": "whole"}), MemoryJournal(), dependencies(crew))
    assert len(model_server.prompts(prompts.WRITE)) == 1
    assert not model_server.prompts(prompts.WRITE_SECTION)
    assert length_score(count_words(made.content), 600) >= 95


@pytest.mark.parametrize(
    ("draft", "texts"),
    [
        ("## 1. One\n\nFirst.\n\n## 2. Two\n\nSecond.", ["First.", "Second."]),
        ("Preface.\n\n## 2) Two\nSecond.\n##1: One\nFirst.", ["First.", "Second."]),
        ("## 1. One\n\nFirst.\n\n## 1. One again\n\nOther.", ["First.", ""]),
        (
            "## 1. One\n\nFirst.\n\n### 2. Below\n\nMore.\n\n## 9. Nine\n\nLost.",
            ["First.\n\n### 2. Below\n\nMore.", ""],
        ),
        ("No heading at all.", ["", ""]),
    ],
)
def test_sections_are_found_by_their_numbers(draft: str, texts: list[str]) -> None:
    assert sections_of(draft, 2) == texts


@pytest.mark.parametrize(
    ("draft", "cut"),
    [
        (
            "One two.\n\nThree four.\n\nFive six.\n\nSeven eight.",
            ["One two.", "Three four.\n\nFive six.\n\nSeven eight."],
        ),
        ("One two. Three four. Five six. Seven eight.", ["One two.", "Three four. Five six. Seven eight."]),
        ("Nothing else.", ["", "Nothing else."]),
        ("", ["", ""]),
    ],
    ids=["paragraphs", "sentences", "too short", "empty"],
)
def test_a_draft_without_headings_is_cut_by_its_planned_words(draft: str, cut: list[str]) -> None:
    made = with_headings(draft, {4: ("Rain", 100), 5: ("Heat", 300)})
    assert made.startswith("## 4. Rain\n\n")
    assert "## 5. Heat\n" in made
    assert sections_of(made, 5)[3:] == cut


@pytest.mark.parametrize(
    ("draft", "opening"),
    [
        ("# Roofs hold rain\n\nThey do.\n\n## 1. Rain\n\nText.", ("Roofs hold rain", "They do.")),
        ("\n#  Roofs hold rain \n## 1. Rain\n\nText.", ("Roofs hold rain", "")),
        ("They do.\n\nAll of them.\n\n##2) Heat\n\nText.\n\n## 1. Rain", ("", "They do.\n\nAll of them.")),
        ("## 1. Rain\n\nText.\n\n# Roofs", ("", "")),
        ("No heading at all.", ("", "")),
    ],
    ids=["both", "title alone", "introduction alone", "neither", "no sections"],
)
def test_title_and_introduction_stand_above_the_first_section(draft: str, opening: tuple[str, str]) -> None:
    assert opening_of(draft) == opening


def test_headings_are_found_by_their_numbers() -> None:
    draft = "# Title\n\n## 2. Heat\n\n### 7. Below\n\n##1: Rain \n\n## 2. Heat again\n\n## Loose"
    assert headings_of(draft) == {2: "Heat", 1: "Rain"}


def test_headings_without_numbers_are_numbered() -> None:
    draft = "# Title\n\nLead.\n\n## Rain\n\nOne.\n\n### Below\n\n## 2020 was hot\n\nTwo."
    made = with_headings(draft, {4: ("A", 100), 5: ("B", 300)}, 30)
    assert made == draft.replace("## Rain", "## 4. Rain").replace("## 2020", "## 5. 2020")
    assert opening_of(made) == ("Title", "Lead.")


def test_of_a_draft_without_headings_title_and_introduction_are_cut_off() -> None:
    made = with_headings("# Title\n\nOne two.\n\nThree four.\n\nFive six.\n\nSeven eight.", {1: ("Rain", 60)}, 20)
    assert opening_of(made) == ("Title", "One two.")
    assert sections_of(made, 1) == ["Three four.\n\nFive six.\n\nSeven eight."]


def test_a_draft_with_headings_is_cut_by_these() -> None:
    draft = "## 4. A\n\nOne.\n\n## 9. B\n\nTwo."
    assert with_headings(draft, {4: ("Rain", 100), 5: ("Heat", 300)}) == draft


async def test_the_built_in_writer_writes_one_too() -> None:
    brief = BRIEF.model_copy(update={"writing": "whole", "min_words": 300})
    journal = MemoryJournal()
    made = await produce(brief, journal, dependencies(StudioCrew.without_model(), has_model=False))
    assert "write:draft" in journal.done
    assert "A planted roof holds 60 % of a summer's rain" in made.content
