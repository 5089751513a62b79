"""An article that one call writes as a whole, and that is then cut into its sections."""

from __future__ import annotations

import pytest

from agents.crew.crew import StudioCrew
from agents.pipeline.recipe import produce
from agents.pipeline.write import WHOLE_WORDS, write
from agents.text.draft_sections import sections_of
from agents.text.length import length_score
from agents.text.markdown import count_words
from tests import prompts
from tests.agents.recipes import BRIEF, MemoryJournal, dependencies, make_context, outline_of
from tests.agents.test_writing import VIETNAMESE
from tests.model_server import ModelServer

OUTLINE = outline_of("What roofs hold", "Who pays", "What it weighs", words=60)
LONG = "Roofs hold the rain of a whole summer night [S1]. " * 6


async def written(crew: StudioCrew, server: ModelServer, draft: str) -> list[str]:
    server.fail(match=prompts.WRITE, text=draft)
    return await write(make_context(crew, writing="whole"), OUTLINE, [])


async def test_it_is_cut_into_its_sections(crew: StudioCrew, model_server: ModelServer) -> None:
    texts = [f"{LONG}It was section {number}." for number in (1, 2, 3)]
    draft = "\n\n".join(f"## {n}. Heading {n}\n\n{text}" for n, text in enumerate(texts, 1))
    assert await written(crew, model_server, draft) == texts
    assert len(model_server.calls) == 1
    assert "about 180 words" in model_server.calls[0].prompt


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
        assert all(await write(make_context(crew, journal=journal, writing="whole"), OUTLINE, []))
    assert set(journal.done) == {"write:draft"}
    assert len(model_server.calls) == 1
    assert journal.planned["write"] == 1
    assert journal.drafts["write:draft"], "it is shown while it is written"


async def test_a_longer_article_is_written_section_by_section(crew: StudioCrew, model_server: ModelServer) -> None:
    outline = outline_of("Rain", "Heat", words=WHOLE_WORDS // 2 + 1)
    await write(make_context(crew, writing="whole", min_words=WHOLE_WORDS + 2), outline, [])
    assert not model_server.prompts(prompts.WRITE)
    assert len(model_server.prompts(prompts.WRITE_SECTION)) == 2


async def test_without_the_wish_sections_are_written_side_by_side(crew: StudioCrew, model_server: ModelServer) -> None:
    await write(make_context(crew), OUTLINE, [])
    assert not model_server.prompts(prompts.WRITE)
    assert len(model_server.prompts(prompts.WRITE_SECTION)) == 3


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


async def test_the_built_in_writer_writes_one_too() -> None:
    brief = BRIEF.model_copy(update={"writing": "whole", "min_words": 300})
    journal = MemoryJournal()
    made = await produce(brief, journal, dependencies(StudioCrew.without_model(), has_model=False))
    assert "write:draft" in journal.done
    assert "A planted roof holds 60 % of a summer's rain" in made.content
