"""The six agents, on the real CrewAI; some of what is held here is CrewAI's own and not promised by it."""

from __future__ import annotations

import asyncio
import string
import subprocess
import sys
from pathlib import Path

import openai
import pytest

from agents import assignments
from agents.contract import AGENTS, Brief, Findings, Outline, OutlineSection, Passage, Questions, Reading, Remark
from agents.crew import StudioCrew, config
from agents.exceptions import ModelError
from tests.environment import ROOT
from tests.model_server import ModelServer

BRIEF = Brief(topic="Rooftop gardens {x} in cities", keywords=["roofs"], notes="Mention load.")
TEXT = (
    "Flat roofs are the largest unused surface of most cities. A planted roof holds most of a summer's rain. "
    "The rooms below a planted roof stay several degrees cooler in July. A saturated bed weighs as much as a small car."
)
PASSAGE = Passage(id="S1", source=1, start=0, end=len(TEXT), text=TEXT)
READING = Reading(passages=[PASSAGE])
SECTION = OutlineSection(heading="What roofs hold", purpose="Why it matters.", points=["rain"], sources=["S1"])
OUTLINE = Outline(title="Gardens on roofs", sections=[SECTION, SECTION.model_copy(update={"heading": "Who gains"})])
TEXTS = ["Roofs hold rain [S1].", "Those below gain."]
ALL = [
    assignments.plan_research(BRIEF),
    assignments.find(BRIEF, Questions(questions=["Why?"]), [PASSAGE]),
    assignments.make_outline(BRIEF, Findings(synthesis="Rain.", findings=[]), READING, [PASSAGE], 5),
    assignments.write_section(BRIEF, OUTLINE, 1, READING, [PASSAGE], 120),
    assignments.review(BRIEF, OUTLINE, TEXTS),
    assignments.edit_section(
        BRIEF, OUTLINE, 1, TEXTS[0], [Remark(section=1, kind="gap", instruction="Add.")], [PASSAGE]
    ),
    assignments.describe_seo(BRIEF, OUTLINE, TEXTS),
    assignments.picture_prompt(BRIEF, OUTLINE),
]


def test_there_are_six_agents_and_each_has_work() -> None:
    assert set(config("agents")) == set(AGENTS.values())
    assert {task["agent"] for task in config("tasks").values()} == set(AGENTS.values())


@pytest.mark.parametrize("assignment", ALL, ids=lambda assignment: assignment.task)
def test_every_field_of_a_task_is_filled(assignment: assignments.Assignment[object]) -> None:
    words = config("tasks")[assignment.task]
    wanted = {name for part in words.values() for _, name, _, _ in string.Formatter().parse(part) if name}
    assert wanted <= assignment.fields.keys()


def test_every_task_has_its_assignment() -> None:
    assert {assignment.task for assignment in ALL} == set(config("tasks"))


@pytest.mark.parametrize("assignment", ALL, ids=lambda assignment: assignment.task)
async def test_each_assignment_is_one_call_and_answers_in_its_shape(
    crew: StudioCrew, model_server: ModelServer, assignment: assignments.Assignment[object]
) -> None:
    answer = await crew.ask(assignment)
    assert isinstance(answer, assignment.answer)
    assert len(model_server.calls) == 1
    assert "Rooftop gardens {x} in cities" in model_server.calls[0].prompt


async def test_the_agent_is_told_who_it_is(crew: StudioCrew, model_server: ModelServer) -> None:
    await crew.ask(ALL[0])
    system, user = model_server.calls[0].body["messages"]
    assert system["role"] == "system"
    assert config("agents")["ResearchAgent"]["role"] in system["content"]
    assert user["role"] == "user"


@pytest.mark.parametrize(
    "text",
    ["Observation: it rained.\nThen it stopped.", "Final Answer: 42", "Thought: I\nAction: search\nAction Input: x"],
)
async def test_what_the_model_says_is_not_altered(crew: StudioCrew, model_server: ModelServer, text: str) -> None:
    model_server.fail(text=text)
    assert await crew.ask(ALL[3]) == text


async def test_agents_work_side_by_side(model_server: ModelServer) -> None:
    with ModelServer(first_seconds=0.3) as slow:
        async with openai.AsyncOpenAI(api_key="k", base_url=slow.url, max_retries=0) as client:
            crew = StudioCrew.with_models(dict.fromkeys(AGENTS, "m"), client, concurrency=8)
            await asyncio.gather(*(crew.ask(ALL[3]) for _ in range(6)))
        spans = [(call.at, call.ended) for call in slow.calls]
    assert max(sum(a <= moment < b for a, b in spans) for moment, _ in spans) == 6


async def test_a_models_failure_comes_through_as_it_is(crew: StudioCrew, model_server: ModelServer) -> None:
    model_server.fail(status=401, times=9)
    with pytest.raises(ModelError, match="OPENAI_API_KEY"):
        await crew.ask(ALL[0])
    assert len(model_server.calls) == 1


async def test_a_model_of_its_own_may_be_given_to_a_stage(model_server: ModelServer) -> None:
    async with openai.AsyncOpenAI(api_key="k", base_url=model_server.url, max_retries=0) as client:
        crew = StudioCrew.with_models({**dict.fromkeys(AGENTS, "small"), "write": "large"}, client, concurrency=2)
        await crew.ask(ALL[0])
        await crew.ask(ALL[3])
    assert [call.body["model"] for call in model_server.calls] == ["small", "large"]


async def test_a_review_cannot_be_about_a_section_that_is_not_there(
    crew: StudioCrew, model_server: ModelServer
) -> None:
    bad = '{"remarks": [{"section": 9, "kind": "gap", "instruction": "Add."}]}'
    model_server.fail(text=bad)
    review = await crew.ask(assignments.review(BRIEF, OUTLINE, TEXTS))
    assert len(model_server.calls) == 2
    assert all(remark.section in (1, 2) for remark in review.remarks)


async def test_the_built_in_writer_answers_without_a_model() -> None:
    crew = StudioCrew.without_model()
    assert (await crew.ask(ALL[0])).questions  # type: ignore[attr-defined]
    assert "[S1]" in str(await crew.ask(ALL[3]))


def test_importing_the_crew_prints_nothing_and_writes_only_under_var(tmp_path: object) -> None:
    code = "import contentstudio.settings, agents.crew"
    home = f"{tmp_path}/home"
    environment = {"HOME": home, "VAR": f"{tmp_path}/var", "PATH": "/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert not any(Path(home).rglob("*"))
