"""The texts of prompts, from ``agents/config/*.yaml``."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, cast

import yaml

CONFIG = Path(__file__).parent / "config"


@cache
def config(name: str) -> dict[str, Any]:
    """``config/NAME.yaml``, read once per process."""
    return cast(dict[str, Any], yaml.safe_load((CONFIG / f"{name}.yaml").read_text()))


def prompt_texts(name: str) -> dict[str, str]:
    """``config/NAME.yaml`` if it has texts only."""
    return cast(dict[str, str], config(name))
