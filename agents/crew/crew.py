"""The crew: six CrewAI agents and their tasks, as ``config/agents.yaml`` and ``config/tasks.yaml`` describe them.

Importing this module imports CrewAI (seconds, 180 MB): only a worker does, before it forks.
"""

from __future__ import annotations

import agents.crew.crewai_setup  # noqa: F401  (first: it decides where CrewAI writes)

# isort: split
import asyncio
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple, cast

import openai
from crewai import Agent, BaseLLM, Task
from crewai.agents.agent_executor import AgentExecutor, AgentExecutorState
from crewai.events.event_bus import crewai_event_bus
from crewai.events.utils.console_formatter import set_suppress_console_output
from crewai.utilities.agent_utils import aget_llm_response
from crewai_core.printer import PRINTER
from pydantic import BaseModel

from agents.contract import AGENTS, AgentConfig, Stage
from agents.crew.assignments import Assignment, Reply
from agents.crew.llm import StudioLLM, ours_alone
from agents.llm.preview import Draft, draft_sink
from agents.prompts import config
from agents.text.quoting import boundary

set_suppress_console_output(True)

# CrewAI's own listeners draw on the console and trace. Without them its bus starts no threads, which a fork would not survive.
_nobody_listens = ExitStack()
_nobody_listens.enter_context(crewai_event_bus.scoped_handlers())

FRAME, DEFAULTS, TASKS = config("frame"), config("agents"), config("tasks")  # parsed once, before workers fork
STAGE_OF = {agent: stage for stage, agent in AGENTS.items()}


class DirectExecutor(AgentExecutor):
    """One model call a task. None of the studio's tasks uses tools, and the stock executor rewrites what the model says."""

    def _create_initial_state(self) -> AgentExecutorState:
        """What the stock one makes a new class for each time: 6 ms, two thirds of what a task costs."""
        return AgentExecutorState()

    def _setup_messages(self, inputs: dict[str, Any]) -> None:
        """Who is asked, and what. CrewAI's own replaces ``{tools}`` and the like in what people and pages wrote."""
        agent, task = cast(Agent, self.agent), cast(Task, self.task)
        told = {name: getattr(agent, name) for name in ("role", "goal", "backstory")}
        told |= {"description": task.description, "expected_output": task.expected_output, "boundary": boundary()}
        self.state.messages = [{"role": role, "content": FRAME[role].format_map(told)} for role in ("system", "user")]

    async def ainvoke(self, inputs: dict[str, Any]) -> dict[str, Any]:
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


class Tuning(NamedTuple):
    """A model and how it is asked. Agents that agree in it share an LLM."""

    model: str
    temperature: float | None
    max_tokens: int | None


class StudioCrew:
    """Hands assignments to the six agents. ``words`` is what an editor changed of them."""

    def __init__(self, llms: Mapping[Stage, BaseLLM], words: Mapping[Stage, AgentConfig] = {}) -> None:
        self._llms, self._words = llms, words
        self._idle: dict[Stage, list[Agent]] = {stage: [] for stage in AGENTS}

    @classmethod
    def with_models(
        cls,
        models: Mapping[Stage, str],
        client: openai.AsyncOpenAI,
        slots: asyncio.Semaphore,
        words: Mapping[Stage, AgentConfig] = {},
    ) -> StudioCrew:
        """A crew that asks ``models`` (one for each stage, unless ``words`` names another), where ``slots`` are free."""
        tunings = {stage: tuned(model, words.get(stage, AgentConfig())) for stage, model in models.items()}
        shared = {tuning: StudioLLM(**tuning._asdict(), client=client, slots=slots) for tuning in set(tunings.values())}
        return cls({stage: shared[tuning] for stage, tuning in tunings.items()}, words)

    @classmethod
    def without_model(cls) -> StudioCrew:
        built_in = ExtractiveLLM(model="built-in")
        return cls(dict.fromkeys(AGENTS, built_in))

    async def ask(self, assignment: Assignment[Reply], draft: Draft | None = None) -> Reply:
        """The agent's answer to ``assignment``; its text is shown to ``draft`` as it comes. Raises ModelError."""
        words = TASKS[assignment.task]
        task = Task(
            name=assignment.task,
            description=words["description"].format_map(assignment.fields),
            expected_output=words["expected_output"].format_map(assignment.fields),
            response_model=cast(type[BaseModel], assignment.answer) if assignment.answer is not str else None,
        )
        asked, shown = _assignment.set(assignment), draft_sink.set(draft)
        try:
            # Not the task's own aexecute_sync: that starts a thread and an event loop to clear a store of files nobody uses.
            with self._agent(STAGE_OF[words["agent"]]) as agent:
                return cast(Reply, await agent.aexecute_task(task))
        finally:
            draft_sink.reset(shown)
            _assignment.reset(asked)
            crewai_event_bus.reset_runtime_state()  # else its record keeps every agent and prompt until the process ends

    @contextmanager
    def _agent(self, stage: Stage) -> Iterator[Agent]:
        """An agent that is idle: one can only do one task at a time, and sections are written side by side.

        Making one takes a millisecond; one that failed is not asked again.
        """
        idle = self._idle[stage]
        agent = idle.pop() if idle else self._engaged(stage)
        yield agent
        idle.append(agent)

    def _engaged(self, stage: Stage) -> Agent:
        changed = self._words.get(stage, AgentConfig()).model_dump(include={"role", "goal", "backstory"})
        return Agent(
            **DEFAULTS[AGENTS[stage]] | {name: text for name, text in changed.items() if text},
            llm=self._llms[stage],
            executor_class=DirectExecutor,
            respect_context_window=False,
            max_retry_limit=0,
            verbose=False,
        )


def tuned(model: str, words: AgentConfig) -> Tuning:
    return Tuning(words.model or model, words.temperature, words.max_tokens)
