"""The result of a health check."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class HealthCheck:
    """The result of one health check, and what to do if it is not ``ok``.

    ``subject`` is the model that was checked. ``id`` is made of ``name`` and read by scripts: a published name stays.
    """

    name: str
    state: Literal["ok", "warning", "error"]
    message: str
    action: str = ""
    subject: str = ""

    @property
    def id(self) -> str:
        return re.sub(r"[^a-z0-9]+", "-", self.name.lower()).strip("-")

    @property
    def title(self) -> str:
        return f"{self.subject}, {self.name}" if self.subject else self.name
