"""The six agents and their tasks, on the real CrewAI and against a model server."""

from __future__ import annotations

import asyncio
import string
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest

from agents.contract import (
    AGENTS,
    AgentConfig,
    Brief,
    Finding,
    Outline,
    OutlineSection,
    Passage,
    ProposedOutline,
    SearchDescription,
    Stage,
    Voice,
)
from agents.crew import assignments
from agents.crew.crew import StudioCrew
from agents.exceptions import ModelError
from agents.prompts import config
from agents.text.quoting import boundary
from tests import prompts
from tests.agents.recipes import plan_of
from tests.model_client import client_of
from tests.model_server import ModelServer

BRACES = "{x} {role} {input} {tools} {tool_names} {{y}} {"
"""What a template engine would fill in, drop or fail at, as people and web pages write it."""

BRIEF = Brief(topic=f"Rooftop gardens {BRACES} in cities", keywords=["roofs"], voice=Voice(name="House"))
TEXT = (
    "Flat roofs are the largest unused surface of most cities. A planted roof holds most of a summer's rain. "
    "The rooms below a planted roof stay several degrees cooler in July. A saturated bed weighs as much as a small car."
)
PASSAGE = Passage(id="S1", source=1, start=0, end=len(TEXT), text=TEXT)
FINDING = Finding(number=1, statement="Roofs hold rain.", sources=["S1"])
SECTION = OutlineSection(
    heading="What roofs hold", purpose="Why it matters.", points=["rain"], sources=["S1"], words=120
)
OUTLINE = Outline(title="Gardens on roofs", sections=[SECTION, SECTION.model_copy(update={"heading": "Who gains"})])
TEXTS = ["Roofs hold rain in summer [S1].", "Those below gain."]
SENTENCES = ["Roofs hold rain in summer [S1].", "(before: It rains.) It stays."]
SEO = SearchDescription(title="Roofs", meta_description="What roofs hold.", slug="roofs", keywords=["roofs"])
SHARED = ("THE BRIEF: roofs.\n\n",)
PLANNED = ProposedOutline.model_validate_json(plan_of("What roofs hold", "Who gains"))

PLAN = assignments.plan_research(SHARED, BRIEF, 4)
WRITE = assignments.write_section(SHARED, BRIEF, OUTLINE, 1, [PASSAGE], 120)
EDIT = assignments.improve_sections(SHARED, BRIEF, OUTLINE, [1], ["Source 2 is cited nowhere."], "It has 5 words.")
JUDGE = assignments.judge(SHARED, BRIEF, OUTLINE, [1], SENTENCES)
ALL: list[assignments.Assignment[Any]] = [
    PLAN,
    assignments.find(SHARED, BRIEF, [PASSAGE], [1], 1, 15, ["Both say different things."]),
    assignments.find(SHARED, BRIEF, [PASSAGE], [1], 3, 6),
    assignments.make_plan(SHARED, BRIEF, [PASSAGE], 5, [FINDING]),
    assignments.make_plan_again(SHARED, BRIEF, PLANNED, ["There are 2 headings."], 5),
    assignments.check_answer(SHARED, BRIEF, "Roofs hold rain."),
    WRITE,
    assignments.write_section(SHARED, BRIEF, OUTLINE, 2, [], 120),
    assignments.write_sections(SHARED, BRIEF, OUTLINE, {1: 120, 2: 120}, 40, [PASSAGE]),
    assignments.write_sections(SHARED, BRIEF, OUTLINE, {2: 120}, 0, [PASSAGE]),
    assignments.write_article(SHARED, BRIEF),
    assignments.rewrite_section(SHARED, BRIEF, OUTLINE, 1, TEXTS[0], 120, ["It breaks off."]),
    assignments.extend_section(SHARED, BRIEF, OUTLINE, 1, TEXTS[0], 60),
    assignments.improve_sections(SHARED, BRIEF, OUTLINE, [1, 2], [], "It has 5 words."),
    EDIT,
    assignments.choose_draft(SHARED, BRIEF, ["# One", "# Two"]),
    assignments.proofread(SHARED, BRIEF, 600),
    assignments.write_lead(SHARED, BRIEF, OUTLINE, TEXTS, "60 to 90"),
    JUDGE,
    assignments.judge_again(SHARED, SENTENCES),
    assignments.judge_frame(SHARED, BRIEF, {"Title": "Gardens on roofs", "Heading 1": "What roofs hold"}),
    assignments.describe_seo(BRIEF, OUTLINE, TEXTS),
    assignments.describe_again(BRIEF, OUTLINE, SEO, {"title": ["The title is too short."]}),
    assignments.answer_questions(BRIEF, OUTLINE, TEXTS),
    assignments.picture_prompt(BRIEF, OUTLINE),
]


def test_there_are_six_agents_and_each_has_tasks() -> None:
    assert set(config("agents")) == set(AGENTS.values())
    assert {task["agent"] for task in config("tasks").values()} == set(AGENTS.values())


@asynccontextmanager
async def crew_of(server: ModelServer, changes: Mapping[Stage, AgentConfig]) -> AsyncIterator[StudioCrew]:
    """A crew on ``server`` whose agents an editor has changed."""
    async with client_of(server.url) as client:
        yield StudioCrew.with_models(dict.fromkeys(AGENTS, "test-model"), client, asyncio.Semaphore(8), changes)


@pytest.mark.parametrize("assignment", ALL, ids=lambda assignment: assignment.task)
def test_every_field_of_a_task_is_filled(assignment: assignments.Assignment[Any]) -> None:
    words = config("tasks")[assignment.task]
    wanted = {name for part in words.values() for _, name, _, _ in string.Formatter().parse(part) if name}
    assert wanted <= assignment.fields.keys()


@pytest.mark.parametrize("assignment", ALL, ids=lambda assignment: assignment.task)
async def test_the_phrase_that_tests_know_a_task_by_is_in_its_prompt_alone(
    crew: StudioCrew, model_server: ModelServer, assignment: assignments.Assignment[Any]
) -> None:
    await crew.ask(assignment)
    found = [task for task, phrase in prompts.OF_TASK.items() if phrase in model_server.calls[0].prompt]
    assert found == [assignment.task]


def test_every_task_has_its_assignment() -> None:
    assert {assignment.task for assignment in ALL} == set(config("tasks"))


@pytest.mark.parametrize("assignment", ALL, ids=lambda assignment: assignment.task)
async def test_each_assignment_is_one_call_and_answers_in_its_schema(
    crew: StudioCrew, model_server: ModelServer, assignment: assignments.Assignment[Any]
) -> None:
    answer = await crew.ask(assignment)
    assert isinstance(answer, assignment.answer)
    assert len(model_server.calls) == 1


async def test_the_prompt_describes_the_agent_and_marks_the_material(
    crew: StudioCrew, model_server: ModelServer
) -> None:
    await crew.ask(PLAN)
    system, user = model_server.calls[0].body["messages"]
    assert (system["role"], user["role"]) == ("system", "user")
    for words in config("agents")["ResearchAgent"].values():
        assert words in user["content"]
    assert f"between <<<{boundary()} and {boundary()}>>> is material" in system["content"]
    assert user["content"].startswith(SHARED[0] + "YOUR ROLE\n")
    assert "4 questions, each of at most 15 words" in user["content"]


async def test_braces_in_a_brief_and_in_an_agents_description_are_kept(model_server: ModelServer) -> None:
    words = AgentConfig(role=f"Poet {BRACES}", goal=f"Rhyme {BRACES}", backstory=f"You write {BRACES}")
    section = SECTION.model_copy(update={"points": [f"Say {BRACES}"]})
    outline = OUTLINE.model_copy(update={"sections": [section, SECTION]})
    async with crew_of(model_server, {"write": words}) as crew:
        approved = BRIEF.model_copy(update={"approve_outline": True})
        await crew.ask(assignments.write_section((f"Topic {BRACES}\n\n",), approved, outline, 1, [], 120))
    user = model_server.calls[0].body["messages"][1]["content"]
    assert user.count(BRACES) == 5
    assert f"Say {BRACES}" in user
    assert f"Topic {BRACES}" in user


async def test_prompts_contain_nothing_of_crewais_own_wording(crew: StudioCrew, model_server: ModelServer) -> None:
    await crew.ask(WRITE)
    prompt = model_server.calls[0].prompt
    for phrase in ("Current Task", "MUST", "expected criteria", "complete response", "Observation"):
        assert phrase not in prompt


@pytest.mark.parametrize(
    "text",
    ["Observation: it rained.\nThen it stopped.", "Final Answer: 42", "Thought: I\nAction: search\nAction Input: x"],
)
async def test_the_text_of_a_model_is_not_altered(crew: StudioCrew, model_server: ModelServer, text: str) -> None:
    model_server.fail(text=text)
    assert await crew.ask(WRITE) == text


async def test_an_agent_brings_nothing_along_from_an_earlier_task(crew: StudioCrew, model_server: ModelServer) -> None:
    for answer in ("Roofs leak.", "Tenants pay."):
        await crew.ask(assignments.check_answer(SHARED, BRIEF, answer))
    assert len(model_server.calls[1].body["messages"]) == 2
    assert "Roofs leak." not in model_server.calls[1].prompt


async def test_an_agent_answers_each_task_in_its_own_schema(crew: StudioCrew, model_server: ModelServer) -> None:
    each: list[assignments.Assignment[Any]] = [PLAN, WRITE, EDIT, JUDGE]
    for assignment in each:
        assert isinstance(await crew.ask(assignment), assignment.answer)
    schemas = [call.body.get("response_format", {}).get("json_schema", {}).get("name") for call in model_server.calls]
    assert schemas == ["Questions", None, "Improvements", "JudgedSentences"]


async def test_an_agent_can_be_asked_again_after_a_failure(crew: StudioCrew, model_server: ModelServer) -> None:
    model_server.fail(status=401)
    with pytest.raises(ModelError):
        await crew.ask(PLAN)
    answer = await crew.ask(PLAN)
    assert isinstance(answer, PLAN.answer)


async def test_one_agent_performs_tasks_concurrently(model_server: ModelServer) -> None:
    with ModelServer(first_seconds=0.3) as slow:
        async with client_of(slow.url) as client:
            crew = StudioCrew.with_models(dict.fromkeys(AGENTS, "m"), client, asyncio.Semaphore(8))
            await asyncio.gather(*(crew.ask(WRITE) for _ in range(6)))
        spans = [(call.at, call.ended) for call in slow.calls]
    assert max(sum(a <= moment < b for a, b in spans) for moment, _ in spans) == 6


async def test_a_models_failure_is_raised_unchanged(crew: StudioCrew, model_server: ModelServer) -> None:
    model_server.fail(status=401, times=9)
    with pytest.raises(ModelError, match="OPENAI_API_KEY"):
        await crew.ask(PLAN)
    assert len(model_server.calls) == 1


async def test_a_stage_can_have_a_model_of_its_own(model_server: ModelServer) -> None:
    async with crew_of(model_server, {"write": AgentConfig(model="large")}) as crew:
        await crew.ask(PLAN)
        await crew.ask(WRITE)
    assert [call.body["model"] for call in model_server.calls] == ["test-model", "large"]


async def test_an_editors_changes_replace_only_what_they_name(model_server: ModelServer) -> None:
    async with crew_of(model_server, {"write": AgentConfig(role="Poet laureate")}) as crew:
        await crew.ask(WRITE)
        await crew.ask(PLAN)
    poet, researcher = (call.prompt for call in model_server.calls)
    assert "Poet laureate" in poet
    assert "Staff writer" not in poet
    assert config("agents")["WriterAgent"]["goal"] in poet
    assert "Poet laureate" not in researcher


async def test_temperature_and_token_limit_are_set_per_agent(model_server: ModelServer) -> None:
    async with crew_of(model_server, {"write": AgentConfig(temperature=0.0, max_tokens=900)}) as crew:
        await crew.ask(WRITE)
        await crew.ask(PLAN)
    written, planned = (call.body for call in model_server.calls)
    assert written["temperature"] == 0
    assert 900 in (written.get("max_tokens"), written.get("max_completion_tokens"))
    assert not {"temperature", "max_tokens", "max_completion_tokens"} & planned.keys()


async def test_agents_with_the_same_settings_share_their_llm() -> None:
    async with client_of("http://127.0.0.1:9/v1") as client:
        words: dict[Stage, AgentConfig] = {
            "write": AgentConfig(temperature=0.2),
            "edit": AgentConfig(temperature=0.2),
            "seo": AgentConfig(role="R"),
        }
        crew = StudioCrew.with_models(dict.fromkeys(AGENTS, "m"), client, asyncio.Semaphore(2), words)
        llms = {stage: agent.llm for stage, agent in crew._agents.items()}
    assert llms["write"] is llms["edit"]
    assert llms["seo"] is llms["research"]
    assert llms["seo"] is not llms["write"]


async def test_all_agents_share_the_slots_whatever_their_settings() -> None:
    with ModelServer(first_seconds=0.1) as slow:
        async with client_of(slow.url) as client:
            crew = StudioCrew.with_models(
                dict.fromkeys(AGENTS, "m"), client, asyncio.Semaphore(1), {"write": AgentConfig(model="large")}
            )
            await asyncio.gather(crew.ask(PLAN), crew.ask(WRITE))
        first, second = sorted((call.at, call.ended) for call in slow.calls)
    assert second[0] >= first[1]


async def test_the_built_in_writer_answers_without_a_model() -> None:
    crew = StudioCrew.without_model()
    assert (await crew.ask(PLAN)).questions
    assert "[S1]" in await crew.ask(WRITE)
    part = assignments.write_sections(SHARED, BRIEF, OUTLINE, {1: 120, 2: 120}, 40, [PASSAGE])
    assert "## 2. Who gains" in await crew.ask(part)
