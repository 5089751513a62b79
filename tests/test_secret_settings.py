"""Secrets may be given as files: each of them, and with an error that names the setting if that goes wrong."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from environs import Env

from contentstudio.secret_settings import add_password, read_secret
from tests.environment import ROOT
from tests.test_configuration import SETTINGS as SETTINGS_FILES

SETTINGS = "\n".join(path.read_text() for path in SETTINGS_FILES)
SECRETS = re.findall(r'\bsecret\("(\w+)"\)', SETTINGS)

PRINT_ALL = """
from django.conf import settings
database = settings.DATABASES["default"]
print(settings.SECRET_KEY, database["HOST"], database["PASSWORD"], settings.REDIS_URL, settings.OPENAI_API_KEY,
      settings.OPENAI_BASE_URL, settings.TAVILY_API_KEY, settings.BRAVE_API_KEY, settings.SEARXNG_URL, settings.METRICS_TOKEN,
      settings.EMAIL_HOST_PASSWORD, settings.OIDC_CLIENT_SECRET, settings.TRACES_ENDPOINT, settings.TRACES_AUTH_HEADERS,
      settings.S3_ENDPOINT_URL)
"""


def run(directory: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A Python program in an environment with these settings only."""
    known = {"PATH": os.environ["PATH"], "VAR": str(directory / "var"), "ENV_FILE": os.devnull}
    known["DJANGO_SETTINGS_MODULE"] = "contentstudio.settings"
    return subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env=known | environment, capture_output=True, text=True, check=False
    )


def secret_file(directory: Path, name: str, content: str) -> str:
    path = directory / name
    path.write_text(content)
    return str(path)


def test_all_secrets_are_read_from_files(tmp_path: Path) -> None:
    values = {name: f"value-of-{name.lower()}" for name in SECRETS}
    values["DATABASE_URL"] = "postgres://studio@database/studio"
    values["REDIS_URL"] = "redis://queue:6379/0"
    values["DATABASE_PASSWORD"] = "p/w @1"
    values["REDIS_PASSWORD"] = "r/w @2"
    files = {f"{name}_FILE": secret_file(tmp_path, name, f"{value}\n") for name, value in values.items()}
    done = run(tmp_path, "-c", PRINT_ALL, **files)
    assert done.stdout.strip() == (
        "value-of-secret_key database p/w @1 redis://:r%2Fw%20%402@queue:6379/0 value-of-openai_api_key"
        " value-of-openai_base_url value-of-tavily_api_key value-of-brave_api_key value-of-searxng_url"
        " value-of-metrics_token value-of-email_host_password value-of-oidc_client_secret"
        " value-of-otel_exporter_otlp_traces_endpoint value-of-otel_exporter_otlp_traces_headers"
        " value-of-s3_endpoint_url"
    ), done.stderr
    assert not (tmp_path / "var" / "secret-key").exists()


def test_each_setting_with_a_secret_in_its_name_can_be_a_file() -> None:
    read = set(re.findall(r'\benv\.\w+\(\s*"(\w+)"', SETTINGS))
    assert {name for name in read if re.search(r"(KEY|SECRET|PASSWORD|_URL|_TOKEN|_HEADERS|_ENDPOINT)$", name)} == set()


def test_a_secret_in_a_file_does_not_appear_in_the_log(tmp_path: Path) -> None:
    files = {
        "OPENAI_API_KEY_FILE": secret_file(tmp_path, "key", "sk-confidential"),
        "REDIS_URL": "redis://queue/0",
        "REDIS_PASSWORD_FILE": secret_file(tmp_path, "redis", "hush/hush"),
    }
    code = "import django, logging; django.setup(); logging.warning('sent sk-confidential, hush/hush and hush%2Fhush here')"
    done = run(tmp_path, "-c", code, **files)
    assert "sent …, … and … here" in done.stderr


@pytest.mark.parametrize(
    ("content", "problem"),
    [(None, "cannot be read: No such file or directory."), (b" \n", "is empty."), (b"\xff", "it is not UTF-8 text.")],
)
def test_an_unusable_file_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes | None, problem: str
) -> None:
    path = tmp_path / "key"
    if content is not None:
        path.write_bytes(content)
    monkeypatch.setenv("METRICS_TOKEN_FILE", str(path))
    with pytest.raises(ImproperlyConfigured, match=rf"^METRICS_TOKEN_FILE is {re.escape(str(path))}, .*{problem}$"):
        read_secret(Env(), "METRICS_TOKEN")


def test_a_secret_given_twice_ends_every_command_with_one_line(tmp_path: Path) -> None:
    file = secret_file(tmp_path, "key", "sk-2")
    done = run(tmp_path, "manage.py", "check", OPENAI_API_KEY="sk-1", OPENAI_API_KEY_FILE=file)
    assert done.returncode == 1
    assert done.stderr == "OPENAI_API_KEY and OPENAI_API_KEY_FILE are both set. Remove one of them.\n"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_data_directory_that_is_not_writable_is_named(tmp_path: Path) -> None:
    (tmp_path / "var").mkdir(mode=0o500)
    done = run(tmp_path, "manage.py", "check")
    assert re.fullmatch(rf"VAR is {tmp_path}/var, which user \d+ cannot write to. Change .*\n", done.stderr)


def test_a_data_directory_that_cannot_be_created_is_named(tmp_path: Path) -> None:
    (tmp_path / "var").write_text("a file")
    done = run(tmp_path, "manage.py", "check")
    assert done.stderr == f"VAR is {tmp_path}/var, which cannot be created: File exists.\n"


@pytest.mark.parametrize(
    ("url", "with_password"),
    [
        ("redis://queue:6379/0", "redis://:a%2Fb@queue:6379/0"),
        ("redis://studio@queue", "redis://studio:a%2Fb@queue"),
        ("postgres://studio:@db/studio?sslmode=require", "postgres://studio:a%2Fb@db/studio?sslmode=require"),
        ("unix:///run/redis.sock", "unix://:a%2Fb@/run/redis.sock"),
    ],
)
def test_a_password_is_added_to_a_url(url: str, with_password: str) -> None:
    assert add_password(url, "a/b", setting="REDIS") == with_password
    assert add_password(url, "", setting="REDIS") == url


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("", "REDIS_PASSWORD is set, but REDIS_URL is not."),
        ("redis://:a@queue", "REDIS_URL contains a password, and REDIS_PASSWORD is set. Remove one of them."),
    ],
)
def test_a_password_without_a_place_is_refused(url: str, problem: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=problem):
        add_password(url, "secret", setting="REDIS")


def test_processes_that_start_together_agree_on_the_generated_key(tmp_path: Path) -> None:
    environment = {**os.environ, "VAR": str(tmp_path), "DJANGO_SETTINGS_MODULE": "contentstudio.settings"}
    command = [sys.executable, "-c", "from django.conf import settings; print(settings.SECRET_KEY)"]
    started = [
        subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) for _ in range(4)
    ]
    keys = {process.communicate()[0].strip() for process in started}
    assert len(keys) == 1
    assert keys == {(tmp_path / "secret-key").read_text()}
    assert (tmp_path / "secret-key").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["secret-key"]
