"""The web process after it has imported the application."""

from __future__ import annotations

import subprocess
import sys

from tests.environment import ROOT

TRACKED = "print(len(gc.get_objects()))"
LOADED_LATER = """
before = set(sys.modules)
from django.template import engines
from django.urls import resolve
resolve("/api/articles/"), resolve("/articles/1/")
print(sorted(name for name in set(sys.modules) - before if name.startswith("articles")))
(loader,) = engines["django"].engine.template_loaders
print("articles/_timeline.html" in loader.get_template_cache)
"""


def run(code: str, environment: dict[str, str]) -> str:
    code = f"import gc, sys, contentstudio.asgi\n{code}"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_loaded_objects_are_frozen(program_environment: dict[str, str]) -> None:
    assert int(run(TRACKED, program_environment)) < 1000  # of some 180,000


def test_the_first_event_loads_neither_views_nor_templates(program_environment: dict[str, str]) -> None:
    assert run(LOADED_LATER, program_environment).split("\n")[:2] == ["[]", "True"]
