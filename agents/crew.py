"""The crew: six CrewAI agents and their tasks, as ``config/agents.yaml`` and ``config/tasks.yaml`` describe them.

Importing this module imports CrewAI (seconds, 180 MB): only a worker does, before it forks.
"""

from __future__ import annotations

import agents.crewai_home  # noqa: F401  (first: it decides where CrewAI writes)

# isort: split
import asyncio
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import Any, cast

import openai
import yaml
from crewai import Agent, BaseLLM, Task
from crewai.agents.agent_executor import AgentExecutor
from crewai.events.utils.console_formatter import set_suppress_console_output
from crewai.utilities.agent_utils import aget_llm_response
from crewai_core.printer import PRINTER
from pydantic import BaseModel

from agents.assignments import Assignment, Reply
from agents.contract import AGENTS, Stage
from agents.llm import Draft, StudioLLM, draft_sink, ours_alone

set_suppress_console_output(True)

CONFIG = Path(__file__).parent / "config"
STAGE_OF = {agent: stage for stage, agent in AGENTS.items()}


@cache
def config(name: str) -> dict[str, dict[str, str]]:
    return cast(dict[str, dict[str, str]], yaml.safe_load((CONFIG / f"{name}.yaml").read_text()))


class DirectExecutor(AgentExecutor):
    """One model call a task. None of the studio's tasks uses tools, and the stock executor rewrites what the model says."""

    async def ainvoke(self, inputs: dict[str, Any]) -> dict[str, Any]:
        self.state.messages.clear()
        self._setup_messages(inputs)
        answer = await aget_llm_response(
            llm=cast(BaseLLM, self.llm),
            messages=self.state.messages,
            callbacks=self.callbacks,
            printer=PRINTER,
            from_task=self.task,
            from_agent=self.agent,
            response_model=self.response_model,
            executor_context=self,
            verbose=False,
        )
        return {"output": answer}


_assignment: ContextVar[Assignment[Any]] = ContextVar("assignment")


class ExtractiveLLM(BaseLLM):
    """The built-in writer in a model's place: answers the assignment at hand from the passages, and calls nobody."""

    def call(self, *args: Any, **kwargs: Any) -> str:
        raise NotImplementedError("the studio calls its models asynchronously")

    @ours_alone
    async def acall(self, messages: Any, **context: Any) -> str | BaseModel:
        return cast("str | BaseModel", await asyncio.to_thread(_assignment.get().built_in))


class StudioCrew:
    """Hands assignments to the six agents."""

    def __init__(self, llms: dict[Stage, BaseLLM]) -> None:
        self._llms = llms

    @classmethod
    def with_models(cls, models: dict[Stage, str], client: openai.AsyncOpenAI, concurrency: int) -> StudioCrew:
        """A crew that asks ``models`` (one for each stage), ``concurrency`` calls at a time."""
        slots = asyncio.Semaphore(concurrency)
        by_name = {name: StudioLLM(model=name, client=client, slots=slots) for name in set(models.values())}
        return cls({stage: by_name[name] for stage, name in models.items()})

    @classmethod
    def without_model(cls) -> StudioCrew:
        built_in = ExtractiveLLM(model="built-in")
        return cls(dict.fromkeys(AGENTS, built_in))

    async def ask(self, assignment: Assignment[Reply], draft: Draft | None = None) -> Reply:
        """The agent's answer to ``assignment``; its text is shown to ``draft`` as it comes. Raises ModelError."""
        words = config("tasks")[assignment.task]
        answer_model = cast(type[BaseModel], assignment.answer) if assignment.answer is not str else None
        task = Task(
            name=assignment.task,
            description=words["description"].format_map(assignment.fields),
            expected_output=words["expected_output"].format_map(assignment.fields),
            output_pydantic=answer_model,
            response_model=answer_model,
        )
        asked, shown = _assignment.set(assignment), draft_sink.set(draft)
        try:
            output = await task.aexecute_sync(agent=self._agent(words["agent"]))
        finally:
            draft_sink.reset(shown)
            _assignment.reset(asked)
        return cast(Reply, output.pydantic if answer_model else output.raw)

    def _agent(self, name: str) -> Agent:
        """A fresh agent: an instance can only do one task at a time, and sections are written side by side."""
        return Agent(
            **config("agents")[name],
            llm=self._llms[STAGE_OF[name]],
            executor_class=DirectExecutor,
            respect_context_window=False,
            max_retry_limit=0,
            verbose=False,
        )
