"""The crew: six agents and their tasks, as ``config/agents.yaml`` and ``config/tasks.yaml`` describe them.

Importing this module imports CrewAI, which takes seconds and 180 MB. Only workers import it, before they fork.
"""

from __future__ import annotations

import agents.crew.crewai_setup  # noqa: F401  (before CrewAI)

# isort: split
import asyncio
from collections.abc import Mapping
from typing import NamedTuple, cast

import openai
from crewai import BaseLLM
from pydantic import BaseModel

from agents.contract import AGENTS, AgentConfig, Stage
from agents.crew.agent import StudioAgent, StudioTask
from agents.crew.assignments import Assignment, Reply
from agents.crew.llm import BuiltInLLM, StudioLLM
from agents.llm.preview import PreviewSink
from agents.prompts import config

DEFAULTS, TASKS = config("agents"), config("tasks")  # parsed once, before workers fork
STAGE_OF = {agent: stage for stage, agent in AGENTS.items()}


class ModelSettings(NamedTuple):
    """Agents with the same settings share a StudioLLM."""

    model: str
    temperature: float | None
    max_tokens: int | None


class StudioCrew:
    """Gives assignments to the six agents. ``changes`` is what an editor changed of them."""

    def __init__(self, llms: Mapping[Stage, BaseLLM], changes: Mapping[Stage, AgentConfig] = {}) -> None:
        self._agents = {stage: _agent(stage, llms[stage], changes.get(stage, AgentConfig())) for stage in AGENTS}

    @classmethod
    def with_models(
        cls,
        models: Mapping[Stage, str],
        client: openai.AsyncOpenAI,
        slots: asyncio.Semaphore,
        changes: Mapping[Stage, AgentConfig] = {},
    ) -> StudioCrew:
        """A crew with a model per stage, unless ``changes`` name another. ``slots`` limits its model calls in flight."""
        settings = {}
        for stage, model in models.items():
            own = changes.get(stage, AgentConfig())
            settings[stage] = ModelSettings(own.model or model, own.temperature, own.max_tokens)
        llms = {each: StudioLLM(**each._asdict(), client=client, slots=slots) for each in set(settings.values())}
        return cls({stage: llms[each] for stage, each in settings.items()}, changes)

    @classmethod
    def without_model(cls) -> StudioCrew:
        return cls(dict.fromkeys(AGENTS, BuiltInLLM(model="built-in")))

    async def ask(self, assignment: Assignment[Reply], preview: PreviewSink | None = None) -> Reply:
        """The answer to ``assignment``. Its text is sent to ``preview`` while it is generated. Raises ModelError."""
        words = TASKS[assignment.task]
        task = StudioTask(
            name=assignment.task,
            description=words["description"].format_map(assignment.fields),
            expected_output=words["expected_output"].format_map(assignment.fields),
            response_model=cast(type[BaseModel], assignment.answer) if assignment.answer is not str else None,
            assignment=assignment,
            preview=preview,
        )
        return cast(Reply, await self._agents[STAGE_OF[words["agent"]]].aexecute_task(task))


def _agent(stage: Stage, llm: BaseLLM, changes: AgentConfig) -> StudioAgent:
    """The agent of ``stage``; words an editor left empty are the default ones."""
    words = changes.model_dump(include={"role", "goal", "backstory"})
    return StudioAgent(
        **DEFAULTS[AGENTS[stage]] | {name: text for name, text in words.items() if text},
        llm=llm,
        respect_context_window=False,
        max_retry_limit=0,
        verbose=False,
    )
