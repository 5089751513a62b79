"""What a job would import after the fork, each job would pay for again."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.environment import ROOT
from tests.model_server import ModelServer

JOB = """
import sys
import tests.environment
import agents.worker
from django.conf import settings
from django.core.management import call_command
from agents.jobs import run_article
from tests.agents.test_jobs import SURVEY
from tests.factories import UserFactory, make_article

settings.CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
settings.HAS_MODEL, settings.OPENAI_BASE_URL, settings.IMAGE_MODEL = True, sys.argv[1], "test-image"
call_command("migrate", verbosity=0)
import channels.layers
channels.layers.get_channel_layer()
article = make_article(UserFactory(), sources=(SURVEY,), min_words=300)
run, before = article.runs.get(), set(sys.modules)
run_article(run.pk)
run.refresh_from_db()
assert run.status == "completed", run.reason
print(*sorted(set(sys.modules) - before))
"""


def test_a_job_imports_nothing_after_the_fork(model_server: ModelServer) -> None:
    command = [sys.executable, "-c", JOB, model_server.url]
    own_store = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    done = subprocess.run(command, cwd=ROOT, env=own_store, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == []
