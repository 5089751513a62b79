"""Steps of the recipe, how they are identified, and the journal that stores their results."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, Literal, Protocol, Self, TypeVar, cast, get_args

from pydantic import BaseModel

from agents.contract import AGENTS, Stage

Output = TypeVar("Output", bound=BaseModel)

StepKind = Literal[
    "plan",  # research: the questions; outline: the plan
    "read",
    "find",  # the findings of a group of sources
    "answer",  # outline: the check of the plan's answer
    "section",  # write or edit one section
    "draft",  # write: several sections, or the whole article
    "second",  # write: the article with a structure of the writer's own
    "choose",  # edit: one of two drafts
    "approved",
    "length",  # bring a section to its length
    "review",
    "use",  # what the readers cannot use as it is
    "missing",  # what the article lacks of a group of sources
    "verdicts",  # on the sentences of several sections as they were written
    "revise",  # the changes to several sections
    "proofread",  # edit: the whole article once more
    "corrected",  # one section by the proofreader's changes
    "evidence",
    "lead",  # title and lead
    "frame",  # the check of title, lead, headings and questions
    "describe",
    "prompt",
    "draw",
    "skipped",  # the whole stage
    "synthesis",  # of older versions
    "make",  # outline: the headings, of older versions
]

KEY = re.compile(
    r"(?P<stage>[a-z]+)(?::(?P<kind>[a-z]+))?(?::(?P<section>\d{1,4}))?(?::(?P<repeat>again|length)-(?P<number>\d{1,4}))?"
)


@dataclass(frozen=True)
class StepKey:
    """Identifies a step in its run.

    ``section`` counts from 1 and is 0 if the step is for the whole article; for ``find`` and ``missing`` it is the number of
    a group of sources, for ``draft``, ``verdicts`` and ``revise`` the first of several sections, for ``review`` in older
    versions that of a group of sections.
    ``attempt`` is higher than 1 if the same work was done again on a changed text.

    ``str()`` gives the form of events, sockets and logs: ``write:3``, ``write:3:again-1``, ``edit:evidence:3:again-1``.
    """

    stage: Stage
    kind: StepKind
    section: int = 0
    attempt: int = 1

    def __str__(self) -> str:
        parts: list[str] = [self.stage]
        if self.kind not in ("section", "length"):
            parts.append(self.kind)
        if self.section:
            parts.append(str(self.section))
        if self.kind == "length":
            parts.append(f"{'length' if self.stage == 'edit' else 'again'}-{self.attempt}")
        elif self.attempt > 1:
            parts.append(f"again-{self.attempt - 1}")
        return ":".join(parts)

    @classmethod
    def parse(cls, text: str) -> Self:
        """The key whose ``str()`` is ``text``. Raises ValueError."""
        found = KEY.fullmatch(text)
        if not found or found["stage"] not in AGENTS:
            raise ValueError(f"{text[:100]!r} is not the key of a step")
        kind, attempt = found["kind"], int(found["number"] or 0) + 1
        if kind is None:
            kind = "length" if found["repeat"] else "section"
            attempt = attempt - 1 if found["repeat"] else attempt
        if kind not in get_args(StepKind):
            raise ValueError(f"{text[:100]!r} is not the key of a step")
        return cls(cast(Stage, found["stage"]), cast(StepKind, kind), int(found["section"] or 0), attempt)

    @property
    def agent(self) -> str:
        return AGENTS[self.stage]

    def columns(self) -> dict[str, Any]:
        """The key as field values of a stored step."""
        return {"stage": self.stage, "kind": self.kind, "section": self.section, "attempt": self.attempt}


@dataclass(frozen=True)
class StepSpec(Generic[Output]):
    """A step of the recipe: performed once, then read back from the journal.

    ``output`` is the model its result is stored as. ``doing`` is the message while it runs, ``done`` makes the message of
    its result.
    """

    key: StepKey
    output: type[Output]
    perform: Callable[[], Awaitable[Output]]
    doing: str
    done: Callable[[Output], str]


class Journal(Protocol):
    """What the recipe needs of a run's history. ``articles.runs.journal.RunJournal`` implements it on the database."""

    async def once(self, step: StepSpec[Output]) -> Output:
        """The step's output: read back if it is completed, else performed and committed together with its event."""
        ...

    async def recall(self, key: StepKey, output: type[Output]) -> Output | None:
        """The output of a completed step, or None: for steps done by a person, such as approving an outline."""
        ...

    async def skip(self, stage: Stage, reason: str) -> None:
        """Record that a stage is left out. A second call has no effect."""
        ...

    async def plan(self, steps: Mapping[Stage, int]) -> None:
        """Record how many steps each stage is expected to have, for the progress."""
        ...

    async def draft(self, key: StepKey, offset: int, text: str) -> None:
        """Show ``text`` at character ``offset`` of what the step is writing. A preview, never stored."""
        ...

    async def keep_file(self, name: str, data: bytes) -> str:
        """Store a file of the article in the media storage and return its name there. Raises FileNotStored."""
        ...
