"""The import rules between packages, and the packages the web process must not load."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from tests.environment import ROOT


def test_every_import_rule_holds() -> None:
    command: list[str | Path] = [Path(sys.executable).with_name("lint-imports"), "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.django_db(transaction=True)
def test_requests_do_not_load_the_crew(program_environment: dict[str, str]) -> None:
    script = """
        import sys
        from contentstudio.asgi import application
        from django.test import Client
        client = Client(SERVER_NAME="localhost")
        assert client.get("/api/health").status_code in (200, 503)
        assert client.get("/", follow=True).status_code == 200
        print([name for name in ("crewai", "openai", "agents.worker.jobs", "agents.crew.crew") if name in sys.modules])
    """
    done = subprocess.run(
        [sys.executable, "-c", dedent(script)],
        cwd=ROOT,
        env={**program_environment, "DEBUG": "true"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() == "[]", done.stderr
