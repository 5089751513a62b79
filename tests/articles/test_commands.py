"""``manage.py doctor`` and ``manage.py apikey``."""

from __future__ import annotations

import io
import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command
from django.db import connection, connections
from django.db.migrations.recorder import MigrationRecorder
from redis import Redis
from rq import Queue, Worker

from articles.models import AgentProfile, ApiKey
from articles.operations import doctor
from articles.runs.workers import Workers
from contentstudio.runtime import migrations
from tests.agents.conftest import model_server, running_model_server  # noqa: F401  (fixtures)
from tests.factories import UserFactory
from tests.model_server import ModelServer

pytestmark = pytest.mark.django_db


def run_doctor(*arguments: str) -> tuple[int, str]:
    """The doctor's exit code and output."""
    out = io.StringIO()
    try:
        call_command("doctor", *arguments, stdout=out)
    except SystemExit as ending:
        return int(ending.code or 0), out.getvalue()
    return 0, out.getvalue()


def checks_by_name() -> dict[str, Any]:
    checks = json.loads(run_doctor("--json")[1])["checks"]
    return {", ".join(filter(None, (check["subject"], check["name"]))): check for check in checks}


@pytest.fixture
def worker(redis: Redis) -> Any:
    """A worker registered in Redis."""
    worker = Worker([Queue("articles", connection=redis)], connection=redis, name="test-worker")
    worker.register_birth()
    yield worker
    worker.register_death()
    redis.delete(worker.key)


class TestDoctor:
    def test_a_working_studio_passes(self, worker: Worker, settings: LazySettings) -> None:
        settings.DEBUG = True  # no static files are collected in tests
        code, output = run_doctor()
        assert code == 0
        assert not re.search("^error", output, re.MULTILINE)
        assert "answers, and its tables are up to date" in output

    def test_it_shows_the_redis_address_and_the_workers(self, worker: Worker) -> None:
        checks = checks_by_name()
        assert "answers at unix://" in checks["Redis"]["message"]
        assert checks["Workers"]["message"] == "1 running, for 1 article at once."

    def test_studio_without_workers_fails(self, redis: Redis) -> None:
        assert not Worker.all(connection=redis)
        code, output = run_doctor()
        assert code == 1
        assert "None is running, so articles have to wait." in output
        assert "manage.py workers" in output

    def test_a_private_redis_that_is_not_running_passes(self, settings: LazySettings, tmp_path: Path) -> None:
        settings.REDIS_ADDRESS = f"unix://{tmp_path}/none.sock"
        assert checks_by_name()["Redis"]["state"] == "warning"

    def test_an_unreachable_configured_redis_fails_without_showing_its_password(
        self, settings: LazySettings, unused_tcp_port: int
    ) -> None:
        settings.REDIS_URL = settings.REDIS_ADDRESS = f"redis://:secret@127.0.0.1:{unused_tcp_port}/0"
        check = checks_by_name()["Redis"]
        assert check["state"] == "error"
        assert "secret" not in check["message"]

    def test_missing_migrations_fail(self) -> None:
        MigrationRecorder(connection).migration_qs.filter(app="articles").delete()
        check = checks_by_name()["Database"]
        assert (check["state"], "make run" in check["action"]) == ("error", True)

    def test_an_unreachable_database_fails(self, settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> None:
        unreachable = connections.create_connection("default")
        nowhere = {"NAME": "/nowhere/studio", "HOST": "/nowhere", "OPTIONS": {}}  # without a pool, which would wait
        unreachable.settings_dict = {**connection.settings_dict, **nowhere}
        monkeypatch.setattr(migrations, "connection", unreachable)
        check = doctor.check_tables()
        assert check.state == "error"
        assert "cannot be reached" in check.message

    @pytest.mark.skipif(connection.vendor != "sqlite", reason="checks the journal mode of SQLite")
    def test_sqlite_without_write_ahead_log_fails(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert doctor.check_journal_mode().state == "ok"
        memory = connections.create_connection("default")
        memory.settings_dict = {**connection.settings_dict, "NAME": ":memory:"}
        monkeypatch.setattr(doctor, "connection", memory)
        assert doctor.check_journal_mode().state == "error"
        memory.close()

    def test_it_checks_the_configured_model(self, model_server: ModelServer, settings: LazySettings) -> None:  # noqa: F811
        settings.HAS_MODEL, settings.OPENAI_BASE_URL = True, model_server.url
        settings.LLM_MODELS = dict.fromkeys(settings.LLM_MODELS, "test-model")
        checks = checks_by_name()
        assert checks["test-model, JSON schema"]["state"] == "ok"
        assert checks["Image model"]["state"] == "warning"

    def test_it_checks_models_of_single_agents(
        self,
        model_server: ModelServer,  # noqa: F811
        settings: LazySettings,
    ) -> None:
        settings.HAS_MODEL, settings.OPENAI_BASE_URL = True, model_server.url
        settings.LLM_MODELS = dict.fromkeys(settings.LLM_MODELS, "test-model")
        AgentProfile.objects.create(stage="edit", model="another-model")
        checks = checks_by_name()
        assert {"test-model, chat", "another-model, chat"} <= checks.keys()
        assert "another-model" in checks["Costs"]["message"]

    def test_without_tables_it_checks_the_models_of_the_settings(self, settings: LazySettings) -> None:
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE articles_agentprofile")
        assert doctor.models_in_use() == set(settings.LLM_MODELS.values())

    def test_an_invalid_key_fails(self, model_server: ModelServer, settings: LazySettings, worker: Worker) -> None:  # noqa: F811
        settings.HAS_MODEL, settings.OPENAI_BASE_URL = True, model_server.url
        model_server.fail(status=401)
        code, output = run_doctor()
        assert code == 1
        assert "Check OPENAI_API_KEY" in output

    def test_an_unknown_search_fails(self, settings: LazySettings) -> None:
        settings.SEARCH_PROVIDER = "altavista"
        assert "Use one of" in checks_by_name()["Search"]["message"]

    def test_a_disabled_search_is_a_warning(self) -> None:
        assert checks_by_name()["Search"]["state"] == "warning"


class TestWebSettings:
    @pytest.mark.parametrize(
        ("hosts", "https", "verdict"),
        [
            (["localhost", "127.0.0.1", "[::1]"], False, "ok"),
            (["studio.example.com"], True, "ok"),
            (["studio.example.com"], False, "warning"),
            (["*"], True, "warning"),
        ],
    )
    def test_hosts(self, hosts: list[str], https: bool, verdict: str) -> None:
        assert doctor.check_hosts(hosts, https=https).state == verdict

    def test_debugging_is_a_warning(self, settings: LazySettings) -> None:
        settings.DEBUG = True
        assert "Debugging" in {check.name for check in doctor.check_web()}

    def test_a_weak_secret_key_is_a_warning(self, tmp_path: Path) -> None:
        kept = tmp_path / "secret-key"
        assert doctor.check_secret("short", kept).state == "warning"
        assert doctor.check_secret("x" * 50, kept).state == "ok"

    def test_a_secret_file_readable_by_others_is_a_warning(self, tmp_path: Path) -> None:
        kept = tmp_path / "secret-key"
        kept.touch(mode=0o600)
        assert doctor.check_secret("x" * 50, kept).state == "ok"
        kept.chmod(0o644)
        assert "chmod 600" in doctor.check_secret("x" * 50, kept).action


class TestFiles:
    def test_uncollected_static_files_are_a_warning(self, settings: LazySettings, tmp_path: Path) -> None:
        settings.STATIC_ROOT = tmp_path
        assert next(doctor.check_files()).state == "warning"
        (tmp_path / "staticfiles.json").touch()
        assert next(doctor.check_files()).state == "ok"

    def test_a_missing_directory_is_checked_by_its_parent(self, tmp_path: Path) -> None:
        assert doctor.check_writable("Pictures", tmp_path / "media" / "covers").state == "ok"

    def test_a_directory_without_write_permission_fails(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(os, "access", lambda *_: False)  # the tests may run as root, who may write anywhere
        assert doctor.check_writable("Pictures", tmp_path).state == "error"

    def test_exports_are_tried(self) -> None:
        check = doctor.check_exports()
        assert check.state == "ok"
        assert "PDF" in check.message

    def test_a_failing_export_is_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("articles.exports.pandoc.SECONDS", 0.001)  # less than any pandoc takes
        check = doctor.check_exports()
        assert check.state == "error"
        assert "took longer" in check.message


class TestWorkers:
    def test_those_without_a_heartbeat_are_counted_apart(self) -> None:
        check = doctor.check_workers(Workers(living=2, capacity=8, silent=1))
        assert (check.state, check.message) == ("ok", "2 running, for 8 articles at once. 1 without a heartbeat.")

    def test_they_alone_are_not_enough(self) -> None:
        assert doctor.check_workers(Workers(silent=1)).state == "error"


class TestApiKey:
    def test_it_prints_a_key_and_nothing_else(self) -> None:
        user, out = UserFactory.create(username="nora"), io.StringIO()
        call_command("apikey", "nora", "--name", "Script", stdout=out)
        key = ApiKey.objects.match(out.getvalue().removesuffix("\n"))
        assert key is not None
        assert (key.user, key.name) == (user, "Script")

    @pytest.mark.parametrize(
        ("arguments", "reason"),
        [
            (["nobody"], "no user “nobody”"),
            (["gone"], "inactive"),
            (["nora", "--name", " "], "1 to 100 characters"),
            (["nora", "--name", "x" * 101], "1 to 100 characters"),
        ],
    )
    def test_it_names_the_reason_of_a_refusal(self, arguments: list[str], reason: str) -> None:
        UserFactory.create(username="nora")
        UserFactory.create(username="gone", is_active=False)
        with pytest.raises(CommandError, match=reason):
            call_command("apikey", *arguments)
        assert not ApiKey.objects.exists()
