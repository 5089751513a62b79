"""An agent that performs a task with a single model call, on CrewAI's public classes.

CrewAI's own executor is made for agents with tools. It cuts a text at "Final Answer:", follows "Action:" lines in it, makes each
call in a thread (so that a cancelled task's call continues), adds 9 ms of CPU per task, and ends the process when an error
mentions the context length. Overriding ``aexecute_task``, the documented entry point, avoids all of this.
"""

from __future__ import annotations

import agents.crew.crewai_setup  # noqa: F401  (before CrewAI)

# isort: split
from typing import Any, cast

from crewai import Agent, BaseLLM, Task
from crewai.tools import BaseTool
from pydantic import Field

from agents.crew.assignments import Assignment
from agents.llm.preview import PreviewSink
from agents.prompts import config
from agents.text.quoting import boundary

FRAME = config("frame")


class StudioTask(Task):
    """A task with what the models of the studio need beside the prompt."""

    assignment: Assignment[Any] = Field(exclude=True)
    preview: PreviewSink | None = Field(default=None, exclude=True)


class StudioAgent(Agent):
    """Keeps no state between tasks, so that one agent can perform several at once."""

    def execute_task(self, task: Task, context: str | None = None, tools: list[BaseTool] | None = None) -> Any:
        raise NotImplementedError("agents are asynchronous: use aexecute_task")

    async def aexecute_task(self, task: Task, context: str | None = None, tools: list[BaseTool] | None = None) -> Any:
        fields = {name: getattr(self, name) for name in ("role", "goal", "backstory")}
        shared = "".join(cast(StudioTask, task).assignment.shared)
        fields |= {"description": task.description, "expected_output": task.expected_output}
        fields |= {"boundary": boundary(), "shared": shared}
        messages = [{"role": role, "content": FRAME[role].format_map(fields)} for role in ("system", "user")]
        llm = cast(BaseLLM, self.llm)
        return await llm.acall(cast(Any, messages), from_task=task, from_agent=self, response_model=task.response_model)
