"""The worker imports and prepares everything before it forks, so that no job has to."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.environment import ROOT
from tests.model_server import ModelServer

JOB = """
import os, sys
import tests.environment
import agents.worker.rq_worker
from django.conf import settings
from django.core.management import call_command
from agents.worker.jobs import run_now
from tests.agents.test_jobs import SURVEY
from tests.factories import UserFactory, make_article

settings.CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
settings.HAS_MODEL, settings.OPENAI_BASE_URL, settings.IMAGE_MODEL = True, sys.argv[1], "test-image"
import channels.layers
channels.layers.get_channel_layer()
if not (setting_up := os.fork()):  # its imports must not be in the worker
    call_command("migrate", verbosity=0)
    make_article(UserFactory.create(), sources=(SURVEY,), min_words=300)
    os._exit(0)
assert os.waitpid(setting_up, 0)[1] == 0
before = set(sys.modules)
run_now(1)
print(*sorted(set(sys.modules) - before))
from articles.models import Run
run = Run.objects.get()
assert run.status == "completed", run.reason
"""

WORKER = """
import sys, threading
import tests.environment
import agents.worker.rq_worker
from django.conf import settings
from openai._base_client import platform_headers
layer = settings.CHANNEL_LAYERS["default"]["BACKEND"].rpartition(".")[0]
print(layer in sys.modules, platform_headers.cache_info().currsize > 0, *(thread.name for thread in threading.enumerate()))
"""

SCHEMAS = """
import re
import tests.environment
import agents.worker.rq_worker
from agents.crew.assignments.editing import judged_sentences, verdicts
from agents.contract import Improvements, ProposedOutline
from agents.llm.capabilities import strict_schema
from agents.text.markdown import count_words
re._compiler.compile = None  # compiling another pattern now fails
count_words("Roofs hold rain.")
before = strict_schema.cache_info().misses
for schema in (ProposedOutline, Improvements, verdicts(1), verdicts(9), judged_sentences(20)):
    strict_schema(schema)
print(strict_schema.cache_info().misses - before)
"""


def output_of(script: str, *arguments: str) -> list[str]:
    """The words that ``script`` prints in another Python process on a SQLite database of its own."""
    without_database_url = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    command = [sys.executable, "-c", script, *arguments]
    done = subprocess.run(command, cwd=ROOT, env=without_database_url, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_a_job_imports_nothing_after_the_fork(model_server: ModelServer) -> None:
    assert output_of(JOB, model_server.url) == []


def test_a_worker_has_one_thread_the_channel_layer_and_the_openai_platform_headers_before_it_forks() -> None:
    assert output_of(WORKER) == ["True", "True", "MainThread"]


def test_a_worker_has_output_schemas_and_compiled_patterns_before_it_forks() -> None:
    assert output_of(SCHEMAS) == ["0"]
