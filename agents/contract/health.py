"""The result of a health check."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class HealthCheck:
    """The result of one health check, and advice if it is not ``ok``."""

    name: str
    verdict: Literal["ok", "warn", "fail"]
    finding: str
    advice: str = ""
