"""What the studio relies on in CrewAI. A failure here after an upgrade says which assumption no longer holds."""

from __future__ import annotations

import inspect
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
from crewai import Agent, BaseLLM, Task
from crewai.events.event_bus import crewai_event_bus

from agents.contract import AGENTS
from agents.crew.agent import StudioAgent, StudioTask
from agents.crew.assignments import Assignment
from agents.crew.crew import StudioCrew
from agents.crew.llm import SingleAttempt, StudioLLM
from agents.prompts import config
from tests.agents.test_crew import PLAN, WRITE
from tests.environment import ROOT


class EchoLLM(SingleAttempt, BaseLLM):
    """Returns the task's description, or raises ``error``."""

    async def answer(self, messages: Any, task: StudioTask | None, schema: Any) -> str:
        self.calls.append(messages)
        if self.error:
            raise self.error
        assert task
        return task.description

    calls: list[Any] = []
    error: Any = None


def task_of(text: str) -> StudioTask:
    return StudioTask(
        description=text, expected_output="Text", assignment=Assignment("write_section", str, {}, lambda: "")
    )


def agent_of(llm: BaseLLM) -> StudioAgent:
    return StudioAgent(**config("agents")["WriterAgent"], llm=llm, verbose=False)


@pytest.mark.parametrize("method", ["execute_task", "aexecute_task"])
def test_an_agent_overrides_the_public_methods_with_their_signatures(method: str) -> None:
    ours, theirs = (list(inspect.signature(getattr(owner, method)).parameters) for owner in (StudioAgent, Agent))
    assert ours == theirs


def test_a_model_overrides_the_public_methods_with_their_parameters() -> None:
    assert list(inspect.signature(StudioLLM.acall).parameters) == list(inspect.signature(BaseLLM.acall).parameters)


@pytest.mark.parametrize(
    "text",
    [
        "Observation: it rained.\nThen it stopped.",
        "Final Answer: 42",
        "Thought: I\nAction: search\nAction Input: x",
        "```python\nprint(1)\n```",
        '{"a": 1}',
        "  spaces and {tools} {input}  \n\n",
    ],
)
async def test_text_passes_through_unchanged(text: str) -> None:
    assert await agent_of(EchoLLM(model="m")).aexecute_task(task_of(text)) == text


async def test_a_model_keeps_its_instance_and_its_class() -> None:
    """An agent neither copies the model it is given nor resolves it by its name."""
    llm = EchoLLM(model="m")
    assert agent_of(llm).llm is llm


async def test_crewai_does_not_retry_a_rate_limit() -> None:
    response = httpx.Response(429, request=httpx.Request("POST", "http://model/v1"))
    error = openai.RateLimitError("rate limit", response=response, body=None)
    llm = EchoLLM(model="m", error=error, calls=[])
    with pytest.raises(openai.RateLimitError):
        await agent_of(llm).aexecute_task(task_of("Write."))
    assert len(llm.calls) == 1


async def test_a_task_leaves_no_thread_and_no_event_record() -> None:
    """Once something is emitted, CrewAI's event bus keeps every agent and prompt, in threads that do not survive a fork."""
    before = set(threading.enumerate())
    crew = StudioCrew(dict.fromkeys(AGENTS, EchoLLM(model="m")))
    assignments: list[Assignment[Any]] = [WRITE, PLAN, WRITE]
    for assignment in assignments:
        await crew.ask(assignment)
    assert set(threading.enumerate()) == before
    assert crewai_event_bus.runtime_state is None


def test_agents_and_tasks_are_only_synchronous_where_crewai_calls_them() -> None:
    with pytest.raises(NotImplementedError):
        agent_of(EchoLLM(model="m")).execute_task(task_of("Write."))
    with pytest.raises(NotImplementedError):
        EchoLLM(model="m").call("Write.")
    assert issubclass(StudioTask, Task)


def test_importing_the_crew_prints_nothing_and_writes_only_under_var(tmp_path: Path) -> None:
    code = "import contentstudio.settings, agents.crew.crew"
    home = tmp_path / "home"
    environment = {"HOME": str(home), "VAR": f"{tmp_path}/var", "PATH": "/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert not any(home.rglob("*"))
