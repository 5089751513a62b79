"""The support bundle has what helps, and none of the secrets and texts that are planted everywhere."""

from __future__ import annotations

import io
import json
import stat
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from pytest_django import Settings

from agents.contract import HealthCheck
from articles.models import ApiKey, Article, BackupState, Run
from articles.operations.support import log_lines, write_bundle
from articles.operations.support.log_lines import reduced
from articles.operations.support.redaction import Redactor, known_secrets
from articles.operations.support.settings_shown import SHOWN
from contentstudio.environment import env
from contentstudio.logs import render_json
from tests.environment import SETTINGS, VAR
from tests.factories import UserFactory, make_completed_article

pytestmark = pytest.mark.django_db

PLANTED = "hush"
"""Part of every planted secret."""

ADDRESS = f"https://{PLANTED}-user:{PLANTED}-password@models.example:8443/{PLANTED}-1234-path?key={PLANTED}-query"


def contents(path: Path) -> dict[str, str]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    """A secret in every setting whose value is not shown, and in variables of other programs."""
    for name in SETTINGS:
        if name not in SHOWN and not name.endswith("_FILE"):
            monkeypatch.setenv(
                name, ADDRESS if name.endswith(("_URL", "ENDPOINT", "ISSUER")) else f"{PLANTED}-of-{name}"
            )
            env.str(name)  # read, like a setting
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", f"{PLANTED}-of-another-program")
    monkeypatch.setenv("BREAK_GLASS_USERS", f"{PLANTED}-ada,{PLANTED}-ben")
    settings.FIRST_LOGIN_FILE = VAR / "login-of-tests.txt"
    settings.FIRST_LOGIN_FILE.write_text(f"user: admin\npassword: {PLANTED}-first-password\n")


@pytest.fixture
def texts(owner: User) -> Article:
    """An article, a user and failures whose texts are planted."""
    article = make_completed_article(owner)
    Article.objects.update(topic=f"{PLANTED} topic", title=f"{PLANTED} title", notes=f"{PLANTED} notes")
    Run.objects.update(reason=f"{PLANTED} reason", outline_wish=f"{PLANTED} wish")
    UserFactory.create(username=f"{PLANTED}-user", email=f"{PLANTED}@example.com", first_name=f"{PLANTED}-name")
    BackupState.objects.create(error=f"{PLANTED} error", file=f"/{PLANTED}/file")
    return article


def log_with_secrets(key: str) -> list[str]:
    traceback = (
        'Traceback (most recent call last):\n  File "/home/hush/app/agents/llm/chat.py", line 7, in ask\n'
        "    raise ValueError(prompt)\nValueError: hush: the prompt of the article"
    )
    entry = {"level": "error", "logger": "agents.llm", "event": f"asked {ADDRESS} with {key}", "exception": traceback}
    return [
        "2026-11-30T20:50:00Z workers | INFO agents.worker.jobs: run 7 completed",
        f"2026-11-30T20:50:01Z web-1 | WARNING django.request: Not Found: /?token={PLANTED}-token [address=9.9.9.9]",
        f'ERROR agents.llm.chat: gpt: gave up: “{PLANTED} answer of the model” "{PLANTED} value"',
        f"INFO x: Authorization: Bearer {PLANTED}-bearer-token",
        f"INFO x: mail to {PLANTED}@example.com failed, password={PLANTED}-word",
        f"WARNING accounts.audit: Sign-in failed: unknown (account: {PLANTED})",
        f"{PLANTED} line of a text that something printed",
        f"ValueError: {PLANTED}",
        '  File "/home/hush/app/articles/runs/lease.py", line 12, in renew',
        f"    call('{PLANTED}')",
        "web-1 | exited with code 1; restarting in 0.2 s",
        f"container-1  | {render_json(None, '', entry)}",
    ]


def test_no_planted_secret_or_text_is_in_it(secrets: None, texts: Article, tmp_path: Path) -> None:
    _, key = ApiKey.objects.issue(texts.owner, f"{PLANTED} key")
    checks = [
        HealthCheck(
            "Model server", "error", f"{ADDRESS} refused {key}: Bearer {PLANTED}-bearer", f"Ask {PLANTED}@example.com"
        ),
        HealthCheck("Hosts", "ok", f"Serves {PLANTED}-of-ALLOWED_HOSTS, password: {PLANTED}-word."),
    ]
    write_bundle(tmp_path / "a.zip", checks, log_with_secrets(key))
    for name, content in contents(tmp_path / "a.zip").items():
        assert PLANTED not in content, name
        assert key not in content, name
        assert "9.9.9.9" not in content, name


def test_every_setting_is_shown_or_hidden_on_purpose(secrets: None) -> None:
    known = known_secrets()
    hidden = {name for name in SETTINGS if name not in SHOWN and not name.endswith("_FILE")}
    assert {"OPENAI_API_KEY", "SECRET_KEY", "DATABASE_URL", "EMAIL_HOST_USER", "ALLOWED_HOSTS"} <= hidden
    assert [name for name in hidden if f"{PLANTED}-of-{name}" not in known and ADDRESS not in known] == []
    named = {name for name in SHOWN if "KEY" in name or "PASSWORD" in name}
    assert named == {"INVALID_KEYS_PER_MINUTE", "PASSWORD_MIN_LENGTH"}


def test_it_has_what_helps(texts: Article, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLM_MODEL", "gpt-test")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-some-key-of-mine")
    env.str("LLM_MODEL"), env.str("OPENAI_API_KEY")
    check = HealthCheck("Backup", "warning", "None has been made.", "Run `manage.py backup`.")
    write_bundle(tmp_path / "a.zip", [check], log_with_secrets("cs_" + "a" * 43))
    files = contents(tmp_path / "a.zip")
    found: dict[str, Any] = {name: json.loads(text) for name, text in files.items() if name.endswith(".json")}
    assert found["doctor.json"]["checks"][0] == {
        "id": "backup",
        "name": "Backup",
        "state": "warning",
        "message": "None has been made.",
        "action": "Run `manage.py backup`.",
        "subject": "",
    }
    assert found["versions.json"]["studio"] == "0.1.0"
    assert "django" in {name.lower() for name in found["versions.json"]["packages"]}
    assert (found["settings.json"]["LLM_MODEL"], found["settings.json"]["OPENAI_API_KEY"]) == ("gpt-test", "(set)")
    assert found["migrations.json"]["missing"] == found["migrations.json"]["unknown"] == []
    assert found["work.json"]["rows"]["Article"] == 1
    assert found["work.json"]["runs_by_status"] == {"completed": 1}
    assert found["queue.json"]["queued"] == 0
    assert files["log.txt"].splitlines() == [
        "2026-11-30T20:50:00Z INFO agents.worker.jobs run 7 completed",
        "2026-11-30T20:50:01Z WARNING django.request Not Found: /?… [address=…]",
        "ERROR agents.llm.chat gpt: gave up: “…” “…”",
        "INFO x … …",
        "INFO x mail to … failed, …",
        "ValueError",
        "  articles/runs/lease.py:12 renew",
        "web-1 | exited with code 1; restarting in 0.2 s",
        "error agents.llm asked https://models.example:8443 with …",
        "  agents/llm/chat.py:7 ask",
        "ValueError",
    ]


@pytest.mark.parametrize(
    "secret",
    [
        "cs_" + "x" * 43,
        "sk-proj-abcdefghijkl1234",
        "tvly-dev-abcdefghijklm",
        "ghp_abcdefghijklmnop1234",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc",
        "a1b2c3d4e5f6a7b8c9d0e1f2a3b4c5d6",
        "ada.lovelace+x@mail.example.co.uk",
        "203.0.113.9",
        "-----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY-----",
    ],
)
def test_credentials_are_recognised_by_their_form(secret: str) -> None:
    assert Redactor([]).text(f"before {secret} after") == "before … after"


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("postgres://studio:word@db.example:5432/studio?sslmode=require", "postgres://db.example:5432"),
        ("redis://:word@127.0.0.1:6379/0", "redis://127.0.0.1:6379"),
        ("https://t0k3n@host.example/a/b", "https://host.example"),
        ("prompt_tokens: 512 at 127.0.0.1", "prompt_tokens: 512 at 127.0.0.1"),
    ],
)
def test_addresses_keep_their_host(written: str, expected: str) -> None:
    assert Redactor([]).text(written) == expected


def test_the_last_lines_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_lines, "KEPT_LINES", 2)
    assert list(reduced([f"INFO x: {number}" for number in range(5)], Redactor([]))) == ["INFO x 3", "INFO x 4"]


def test_of_a_long_traceback_the_innermost_frames_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_lines, "KEPT_FRAMES", 2)
    lines = ["ERROR x: failed", "Traceback (most recent call last):"]
    lines += [line for number in range(9) for line in (f'  File "/a/b/c/d.py", line {number}, in f', "    f(text)")]
    lines += [
        "django.db.utils.OperationalError: the value “of a text”",
        "web-1   | psycopg.errors.Timeout",
        "text: Error",
    ]
    assert list(reduced(lines, Redactor([]))) == [
        "ERROR x failed",
        "  b/c/d.py:7 f",
        "  b/c/d.py:8 f",
        "django.db.utils.OperationalError",
        "psycopg.errors.Timeout",
    ]


class TestCommand:
    def test_it_writes_a_private_file_and_names_its_contents(
        self, tmp_path: Path, settings: Settings, owner: User
    ) -> None:
        settings.RECENT_LOG = tmp_path / "studio.log"
        settings.RECENT_LOG.write_text("INFO a.b: second\n")
        (tmp_path / "studio.log.1").write_text("INFO a.b: first\n")
        out = io.StringIO()
        call_command("support-bundle", str(tmp_path / "a.zip"), stdout=out)
        assert stat.S_IMODE((tmp_path / "a.zip").stat().st_mode) == 0o600
        files = contents(tmp_path / "a.zip")
        assert files["log.txt"] == "INFO a.b first\nINFO a.b second\n"
        assert all(name in out.getvalue() for name in files)
        assert {check["id"] for check in json.loads(files["doctor.json"])["checks"]} >= {"database", "backup", "model"}

    def test_other_logs_can_be_given(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, owner: User) -> None:
        (tmp_path / "worker.log").write_text("INFO a.b: of a file\n")
        monkeypatch.setattr("sys.stdin", io.StringIO("INFO a.b: piped\n"))
        call_command("support-bundle", str(tmp_path / "a.zip"), log=[tmp_path / "worker.log", Path("-")], verbosity=0)
        assert contents(tmp_path / "a.zip")["log.txt"] == "INFO a.b of a file\nINFO a.b piped\n"

    def test_an_existing_file_is_not_overwritten(self, tmp_path: Path, owner: User) -> None:
        (tmp_path / "a.zip").write_text("mine")
        with pytest.raises(CommandError, match="cannot be written"):
            call_command("support-bundle", str(tmp_path / "a.zip"))
        assert (tmp_path / "a.zip").read_text() == "mine"
