"""Research: which passages are shown, the questions they are chosen by, and the findings in them."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from agents.contract import Finding, Passage, Questions, Reading, Source
from agents.crew.crew import StudioCrew
from agents.pipeline.context import RunContext
from agents.pipeline.research import MOST_OF_GROUP, ResearchMaterial, find_all, research, source_groups
from agents.pipeline.steps import StepKey
from tests import prompts
from tests.agents.recipes import BRIEF, MemoryJournal, dependencies, found, reading
from tests.model_server import ModelServer


def passage(number: int, source: int = 1, text: str = "Planted roofs hold rain and cool the rooms below.") -> Passage:
    return Passage(id=f"S{number}", source=source, start=0, end=len(text), text=text)


def several(
    sources: int, language: str = "en", text: str = "Planted roofs hold the rain of a summer night. "
) -> Reading:
    """A passage of each of so many sources."""
    read = datetime(2026, 11, 22, tzinfo=UTC)
    return Reading(
        sources=[
            Source(
                number=n,
                title=f"Survey {n}",
                read_at=read,
                sha256=f"{n:064}",
                language=language,
                words=90,
                brief_source=n,
            )
            for n in range(1, sources + 1)
        ],
        passages=[passage(n, n, f"{text * 10}It was survey {n}.") for n in range(1, sources + 1)],
    )


async def researched(
    crew: StudioCrew, read: Reading, journal: MemoryJournal | None = None, **given: object
) -> tuple[ResearchMaterial, RunContext]:
    context = RunContext(BRIEF, journal or MemoryJournal(), dependencies(crew, read, **given))  # type: ignore[arg-type]
    return await research(context), context


async def found_by(crew: StudioCrew, read: Reading, journal: MemoryJournal | None = None) -> list[Finding]:
    _, context = await researched(crew, read, journal)
    return await find_all(context)


async def test_findings_rest_on_passages_that_were_shown(crew: StudioCrew, model_server: ModelServer) -> None:
    findings = [
        {"statement": " Bees fly to the moon. ", "kind": "claim", "date": " 2024 ", "sources": ["S999", "[s1]"]},
        {"statement": "Nobody has said so.", "kind": "claim", "date": "", "sources": ["S998"]},
        {"statement": "Nothing is under it.", "kind": "figure", "date": "", "sources": []},
    ]
    model_server.fail(match=prompts.FIND, text=json.dumps({"findings": findings}))
    (finding,) = await found_by(crew, reading())
    assert (finding.statement, finding.sources, finding.date) == ("Bees fly to the moon.", ["S1"], "2024")


async def test_what_no_source_says_is_a_finding_without_passages(crew: StudioCrew, model_server: ModelServer) -> None:
    model_server.fail(match=prompts.FIND, text=found("Nobody measured the noise.", kind="open", sources=[]))
    findings = await found_by(crew, reading())
    assert [(each.kind, each.sources) for each in findings] == [("open", [])]


async def test_findings_of_all_groups_are_numbered_in_one_sequence(crew: StudioCrew, model_server: ModelServer) -> None:
    for number in (1, 2, 3):
        answer = found(f"Survey {number} says so.", f"Survey {number} says more.", sources=[f"S{number}"])
        model_server.fail(match=f"from sources {number}.", text=answer)
    findings = await found_by(crew, several(3))
    assert [each.number for each in findings] == [1, 2, 3, 4, 5, 6]
    assert [each.sources for each in findings] == [["S1"], ["S1"], ["S2"], ["S2"], ["S3"], ["S3"]]


async def test_more_findings_than_were_asked_for_are_not_taken(crew: StudioCrew, model_server: ModelServer) -> None:
    model_server.fail(match=prompts.FIND, text=found(*(f"Roof {n} holds rain." for n in range(20))))
    assert len(await found_by(crew, reading())) == MOST_OF_GROUP


@pytest.mark.parametrize(
    ("sources", "groups"),
    [(1, [[1]]), (3, [[1], [2], [3]]), (4, [[1], [2], [3], [4]]), (9, [[1, 2], [3, 4], [5, 6, 7], [8, 9]])],
)
def test_sources_are_divided_into_up_to_four_groups(sources: int, groups: list[list[int]]) -> None:
    assert source_groups(several(sources).passages) == groups


def test_groups_are_of_about_the_same_length_and_none_is_lost() -> None:
    passages = [passage(1, 1, "x" * 9000), *(passage(n, n, "x" * 100) for n in range(2, 12))]
    groups = source_groups(passages)
    assert groups[0] == [1]
    assert [number for group in groups for number in group] == list(range(1, 12))


async def test_without_a_search_a_reading_that_fits_needs_no_questions(
    crew: StudioCrew, model_server: ModelServer
) -> None:
    material, _ = await researched(crew, reading())
    assert material.questions == []
    assert not model_server.prompts(prompts.QUESTIONS)


async def test_a_search_is_made_with_questions(crew: StudioCrew, model_server: ModelServer) -> None:
    material, _ = await researched(crew, reading(), searches=True)
    assert len(material.questions) == 4
    (prompt,) = model_server.prompts(prompts.QUESTIONS)
    assert "No source could be read" not in prompt, "nothing was tried yet"


async def test_of_a_reading_that_does_not_fit_the_best_passages_of_each_source_are_shown(
    crew: StudioCrew, model_server: ModelServer
) -> None:
    read = several(4, "de")
    read.passages += [passage(n, 1, f"Number {n} is about pumps, pipes and boilers. " * 30) for n in range(10, 40)]
    material, context = await researched(crew, read, reading_tokens=1500)
    assert material.reading == read
    assert len(context.passages) < len(read.passages)
    assert {each.source for each in context.passages} == {1, 2, 3, 4}
    (prompt,) = model_server.prompts(prompts.QUESTIONS)
    assert "English (en), German (de)" in prompt
    await find_all(context)
    shown = model_server.prompts(prompts.FIND)[0]
    assert all((each.text.strip() in shown) == (each in context.passages) for each in read.passages)


async def test_questions_in_several_languages_are_read_back(crew: StudioCrew) -> None:
    """There are more of them than of questions in one language."""
    journal = MemoryJournal()
    made = Questions(questions=[f"Question {n}?" for n in range(12)])
    journal.done["research:plan"] = made.model_dump(mode="json")
    assert await journal.recall(StepKey("research", "plan"), Questions) == made


async def test_conflicts_that_code_sees_are_shown_to_who_reads_the_source(
    crew: StudioCrew, model_server: ModelServer
) -> None:
    read = several(2)
    read.passages[0].text = "The city counted 312 planted roofs in Graz in 2024."
    read.passages[1].text = "The city counted 512 planted roofs in Graz in 2024."
    await found_by(crew, read)
    (prompt,) = [each for each in model_server.prompts(prompts.FIND) if "from sources 1." in each]
    assert "Compared by code, these passages seem to disagree" in prompt
    await found_by(crew, several(1))
    assert "Compared by code" not in model_server.prompts(prompts.FIND)[-1]


async def test_the_built_in_writer_reads_all_passages_without_questions() -> None:
    read = several(4)
    material, context = await researched(StudioCrew.without_model(), read, has_model=False, reading_tokens=10)
    assert context.passages == read.passages
    assert await find_all(context)
    assert material.questions == []


async def test_findings_of_an_older_version_are_read(crew: StudioCrew, model_server: ModelServer) -> None:
    journal = MemoryJournal()
    journal.done["research:plan"] = {"questions": ["How much rain does a roof hold?"]}
    for number in (1, 2):
        older = {"statement": f"Roof {number} holds rain.", "kind": "claim", "date": "", "sources": ["S1"], "old": 1}
        journal.done[f"research:find:{number}"] = {"findings": [older]}
    findings = await found_by(crew, several(2), journal)
    assert [(each.number, each.statement) for each in findings] == [
        (1, "Roof 1 holds rain."),
        (2, "Roof 2 holds rain."),
    ]
    assert not model_server.prompts(prompts.FIND)
