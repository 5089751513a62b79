"""What a recipe is made of: steps that are done once, and the journal that remembers them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from pydantic import BaseModel

from agents.contract import AGENTS, Stage

Output = TypeVar("Output", bound=BaseModel)


@dataclass(frozen=True)
class StepSpec(Generic[Output]):
    """One step of the recipe: done once, then recalled.

    ``key`` is ``stage:rest`` and unique in the run; ``output`` the model its result is stored as; ``perform`` does the work;
    ``doing`` and ``done`` are what a watcher is told (``done`` is asked with the result).
    """

    key: str
    output: type[Output]
    perform: Callable[[], Awaitable[Output]]
    doing: str
    done: Callable[[Output], str]

    @property
    def stage(self) -> Stage:
        stage = self.key.partition(":")[0]
        assert stage in AGENTS, f"{self.key!r} does not begin with a stage"
        return stage

    @property
    def agent(self) -> str:
        return AGENTS[self.stage]


class Journal(Protocol):
    """What the recipe needs of a run's history; ``articles.runs.journal.RunJournal`` is the one that stores it."""

    async def once(self, step: StepSpec[Output]) -> Output:
        """The step's output: recalled where it is done, performed and committed with its event where not."""
        ...

    async def recall(self, key: str, output: type[Output]) -> Output | None:
        """What step ``key`` made, None where it is not done: for what a person does, such as approving an outline."""
        ...

    async def skip(self, stage: Stage, reason: str) -> None:
        """Tell, once, that a stage is left out and why."""
        ...

    async def plan(self, steps: Mapping[Stage, int]) -> None:
        """Tell how many steps each stage will have, as far as is known by now, so that progress can be counted."""
        ...

    async def draft(self, key: str, offset: int, text: str) -> None:
        """Show watchers ``text`` at ``offset`` characters of what step ``key`` is writing. A preview, never stored."""
        ...

    async def keep_file(self, name: str, data: bytes) -> str:
        """Store a file of the article's in the media storage; the name it got. Raises FileNotStored."""
        ...
