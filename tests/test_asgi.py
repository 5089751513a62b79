"""The web process after it has imported the application."""

from __future__ import annotations

import subprocess
import sys

from tests.environment import ROOT

LOADED = "import gc, contentstudio.asgi; print(len(gc.get_objects()))"


def test_imported_objects_are_frozen(program_environment: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOADED], cwd=ROOT, env=program_environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 1000  # of some 140,000
