"""The whole studio in a process of its own: two commands' worth of promises, with real parts."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest
from django.core.management import CommandError, call_command
from django.test import override_settings

from articles.management.commands import studio as command
from tests.environment import ROOT
from tests.static_files import bring_static_files
from tests.waiting import wait_until


class Studio:
    """``manage.py studio`` on a ``var/`` and a port of its own, and what it has said."""

    def __init__(self, directory: Path) -> None:
        self.var = directory / "var"
        self.port = free_port()
        self._log = directory / "log"
        bring_static_files(self.var)
        settings = {"VAR": str(self.var), "PORT": str(self.port), "WORKERS": "2", "DATABASE_URL": ""}
        environment = {**os.environ, **settings}
        del environment["DATABASE_URL"]
        with self._log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, str(ROOT / "manage.py"), "studio"],
                env=environment,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    @property
    def said(self) -> str:
        return self._log.read_text()

    def wait_for(self, words: str) -> None:
        wait_until(lambda: words in self.said or self.process.poll() is not None, seconds=120)
        assert words in self.said, self.said

    def family(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def program(self, words: str) -> psutil.Process | None:
        """The one that runs with ``words`` in its command line."""
        programs = psutil.Process(self.process.pid).children()
        return next((child for child in programs if words in command_line(child)), None)

    def get(self, path: str) -> httpx.Response:
        return httpx.get(f"http://127.0.0.1:{self.port}{path}", timeout=10, trust_env=False)


def command_line(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:  # it ends while we look
        return ""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    started = Studio(tmp_path_factory.mktemp("studio"))
    started.wait_for("Content Studio is ready")
    started.wait_for("2 workers ready")
    yield started
    started.process.kill()
    started.process.wait()


def test_it_says_where_it_is_and_who_writes(studio):
    assert f"Content Studio is ready: http://127.0.0.1:{studio.port}\n" in studio.said
    assert "No model is configured: the built-in writer quotes sources" in studio.said
    assert studio.get("/").status_code < 400


def test_it_tells_the_first_login_once_and_keeps_it(studio):
    path = studio.var / "first-login.txt"
    assert path.read_text() in studio.said
    assert path.stat().st_mode & 0o777 == 0o600


def test_the_first_key_opens_the_api(studio):
    key = re.findall(r"API key: (\S+)", studio.said)[0]
    address = f"http://127.0.0.1:{studio.port}/api/articles/"
    assert httpx.get(address, trust_env=False).status_code == 401
    assert httpx.get(address, headers={"Authorization": f"Bearer {key}"}, trust_env=False).json()["count"] == 0


@pytest.mark.parametrize("words", ["daphne", "workers", "sweep", "unixsocket"])
def test_what_was_killed_comes_back(studio, words):
    killed = studio.program(words)
    assert killed is not None
    killed.kill()
    wait_until(lambda: (found := studio.program(words)) and found != killed, seconds=60)


def test_a_second_studio_on_the_same_store_is_refused(studio):
    with override_settings(VAR=studio.var), pytest.raises(CommandError, match="already running on"):
        call_command("studio", port=free_port())


def test_a_taken_port_is_told_with_the_way_out(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with override_settings(VAR=tmp_path), pytest.raises(CommandError, match=f"PORT={port + 1} make run"):
            call_command("studio", port=port)


def test_sigterm_stops_all_of_it_in_good_order(studio):
    family = studio.family()
    studio.process.send_signal(signal.SIGTERM)
    assert studio.process.wait(timeout=30) == 0
    assert not [member for member in family if member.is_running()]
    assert "Stopping." in studio.said


def test_killed_outright_it_leaves_nothing(tmp_path):
    studio = Studio(tmp_path)
    studio.wait_for("2 workers ready")
    wait_until(lambda: len(studio.family()) >= 6)  # Redis, web, sweeper, the pool and its two
    family = studio.family()
    studio.process.kill()
    studio.process.wait()
    wait_until(lambda: not [member for member in family if member.is_running()])


def test_a_redis_that_does_not_answer_is_told_without_its_password(tmp_path):
    with (
        override_settings(VAR=tmp_path, REDIS_URL="redis://:secret@127.0.0.1:1/0"),
        pytest.raises(CommandError, match=r"redis://…@127\.0\.0\.1:1/0 does not answer. Start it, or check REDIS_URL"),
    ):
        call_command("studio", port=free_port())


def test_a_host_that_is_not_ours_is_told(tmp_path):
    with override_settings(VAR=tmp_path), pytest.raises(CommandError, match="Check HOST and PORT"):
        call_command("studio", host="192.0.2.1", port=free_port())


@pytest.mark.parametrize(
    ("host", "address"),
    [("127.0.0.1", "http://127.0.0.1:80"), ("0.0.0.0", "http://localhost:80"), ("::1", "http://[::1]:80")],
)
def test_the_address_is_one_a_browser_takes(host, address):
    assert command.address(host, 80) == address


def test_a_named_redis_is_not_started_again():
    with override_settings(REDIS_URL="redis://elsewhere"):
        assert [program.name for program in command.programs("127.0.0.1", 80, None)] == ["web", "workers", "sweeper"]


def test_the_model_that_writes_is_named():
    with override_settings(HAS_MODEL=True, LLM_MODEL="mine-7b"):
        assert command.writer_in_use() == "Articles are written by mine-7b."
