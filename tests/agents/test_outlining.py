"""The outline holds as many sections as the length needs, each once, in the language of the brief."""

from __future__ import annotations

import json

import pytest

from agents.contract import Brief, Findings, Headings
from agents.crew.crew import StudioCrew
from agents.exceptions import ModelError
from agents.pipeline.context import RunContext
from agents.pipeline.outline import headings_for
from agents.pipeline.research import ResearchMaterial
from agents.text.headings import fit_headings, heading_problems
from tests.agents.recipes import BRIEF, MemoryJournal, dependencies, reading
from tests.model_server import ModelServer

PLAN, AGAIN = "Plan this article", "Put the outline of this article right"
ORDINALS = ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth"]
EIGHT = [f"What the {ordinal} roof shows" for ordinal in ORDINALS]
VIETNAMESE = [
    "Vì sao mái nhà của thành phố đang bị bỏ quên",
    "Mái xanh giữ lại bao nhiêu nước mưa vào mùa hè",
    "Điều cần hỏi kỹ sư trước khi mang đất lên mái nhà",
]


def answer(*headings: str, title: str = "What roofs can do for a city") -> str:
    return json.dumps({"title": title, "sections": headings}, ensure_ascii=False)


async def planned(crew: StudioCrew, wanted: int, **brief: object) -> Headings:
    context = RunContext(BRIEF.model_copy(update=brief), MemoryJournal(), dependencies(crew))
    material = ResearchMaterial(questions=[], reading=reading(), findings=Findings())
    return await headings_for(context, material, wanted)


async def test_what_is_well_is_asked_for_once(crew: StudioCrew, model_server: ModelServer) -> None:
    model_server.fail(match=PLAN, text=answer(*EIGHT[:7]))
    assert (await planned(crew, 8)).sections == EIGHT[:7]
    assert not model_server.prompts(AGAIN)


@pytest.mark.parametrize(
    ("headings", "problem"),
    [
        (EIGHT[:2], "There are 2 headings; exactly 8 are needed."),
        ([f"{heading} in year {year}" for year in (1, 2) for heading in EIGHT], "There are 16 headings"),
        ([*EIGHT[:7], EIGHT[0].upper()], "used more than once"),
    ],
)
async def test_the_model_is_shown_what_is_wrong_and_corrects_it(
    crew: StudioCrew, model_server: ModelServer, headings: list[str], problem: str
) -> None:
    model_server.fail(match=PLAN, text=answer(*headings))
    model_server.fail(match=AGAIN, text=answer(*EIGHT))
    assert (await planned(crew, 8)).sections == EIGHT
    (prompt,) = model_server.prompts(AGAIN)
    assert problem in prompt


async def test_of_too_many_the_first_are_kept_at_last(crew: StudioCrew, model_server: ModelServer) -> None:
    for task in (PLAN, AGAIN):
        model_server.fail(match=task, text=answer(*EIGHT))
    assert (await planned(crew, 3)).sections == EIGHT[:3]


async def test_too_few_at_last_are_a_failure_in_figures(crew: StudioCrew, model_server: ModelServer) -> None:
    for task in (PLAN, AGAIN):
        model_server.fail(match=task, text=answer(*EIGHT[:2]))
    with pytest.raises(ModelError, match="2 of the 8 sections that 1,500 words need"):
        await planned(crew, 8, min_words=1500)


async def test_headings_in_another_language_are_put_right(crew: StudioCrew, model_server: ModelServer) -> None:
    title = "Những mái nhà xanh có thể làm gì cho thành phố"
    model_server.fail(match=PLAN, text=answer("Why the roofs of cities are forgotten", *EIGHT[:2]))
    model_server.fail(match=AGAIN, text=answer(*VIETNAMESE, title=title))
    made = await planned(crew, 3, language="vi")
    assert (made.title, made.sections) == (title, VIETNAMESE)
    assert "not in the language asked for" in model_server.prompts(AGAIN)[0]


async def test_a_repair_that_is_worse_is_not_taken(crew: StudioCrew, model_server: ModelServer) -> None:
    model_server.fail(match=PLAN, text=answer(*EIGHT[:6]))
    model_server.fail(match=AGAIN, text=answer(EIGHT[0], EIGHT[0]))
    assert (await planned(crew, 8)).sections == EIGHT[:6]


async def test_a_server_that_enforces_the_schema_gets_the_count(crew: StudioCrew, model_server: ModelServer) -> None:
    await planned(crew, 8)
    (call,) = model_server.calls
    form = call.body["response_format"]["json_schema"]["schema"]["properties"]["sections"]
    assert (form["minItems"], form["maxItems"]) == (8, 8)


def test_headings_come_out_clean_and_within_their_length() -> None:
    made = Headings(title="  What roofs can do.", sections=["1. Rain stays.", "Rain stays", "Heat " * 40, "Who pays"])
    fitted = fit_headings(made, 3, Brief(topic="Rooftop gardens"))
    assert fitted.title == "What roofs can do"
    assert fitted.sections[0] == "Rain stays"
    assert fitted.sections[2] == "Who pays"
    assert len(fitted.sections[1]) <= 120
    assert heading_problems(fitted, 3, "en") == []


def test_a_title_that_says_nothing_gives_way_to_the_topic() -> None:
    made = Headings.model_construct(title="1. Hm.", sections=["Rain stays", "Who pays"])
    assert fit_headings(made, 2, Brief(topic="Rooftop gardens")).title == "Rooftop gardens"
