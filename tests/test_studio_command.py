"""``manage.py studio``: the whole studio in a process of its own, with all its programs."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
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
    """``manage.py studio`` with a data directory and a port of its own, and its output."""

    def __init__(self, directory: Path) -> None:
        self.var = directory / "var"
        self.port = free_port()
        self._log = directory / "log"
        bring_static_files(self.var)
        settings = {
            "VAR": str(self.var),
            "PORT": str(self.port),
            "WORKERS": "2",
            "WEB_PROCESSES": "2",
            "DATABASE_URL": "",
        }
        environment = {**os.environ, **settings}
        del environment["DATABASE_URL"]
        with self._log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, str(ROOT / "manage.py"), "studio"],
                env=environment,
                cwd=directory,  # another one than that of manage.py, as in a shell or a service
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    @property
    def output(self) -> str:
        return self._log.read_text()

    def wait_for(self, words: str) -> None:
        wait_until(lambda: words in self.output or self.process.poll() is not None, seconds=120)
        assert words in self.output, self.output

    def descendants(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def program(self, words: str) -> psutil.Process | None:
        """The first program with ``words`` in its command line."""
        programs = psutil.Process(self.process.pid).children()
        return next((child for child in programs if words in command_line(child)), None)

    def get(self, path: str) -> httpx.Response:
        return httpx.get(f"http://127.0.0.1:{self.port}{path}", timeout=10, trust_env=False)


def command_line(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:  # it has just ended
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


def test_it_prints_its_address_and_its_writer(studio: Studio) -> None:
    assert f"Content Studio is ready: http://127.0.0.1:{studio.port}\n" in studio.output
    assert "No model is configured: the built-in writer quotes sources" in studio.output
    assert studio.get("/").status_code < 400


def test_its_last_lines_are_kept_for_a_support_bundle(studio: Studio) -> None:
    kept = (studio.var / "studio.log").read_text()
    assert re.search(r"^\d{4}-\d\d-\d\dT[\d:]+Z Content Studio is ready: ", kept, re.MULTILINE)
    assert "2 workers ready" in kept


def test_it_prints_where_the_first_login_is_and_no_secret(studio: Studio) -> None:
    path = studio.var / "first-login.txt"
    assert f"Your first login is in {path}. Sign in and change its password.\n" in studio.output
    for secret in re.findall(r"^(?:password|API key): (\S+)$", path.read_text(), re.MULTILINE):
        assert secret not in studio.output


def test_the_first_key_works(studio: Studio) -> None:
    key = re.findall(r"API key: (\S+)", (studio.var / "first-login.txt").read_text())[0]
    address = f"http://127.0.0.1:{studio.port}/api/articles/"
    assert httpx.get(address, trust_env=False).status_code == 401
    assert httpx.get(address, headers={"Authorization": f"Bearer {key}"}, trust_env=False).json()["count"] == 0


def test_connections_are_shared_out_among_the_web_processes(studio: Studio) -> None:
    processes = [process for process in studio.descendants() if "daphne" in command_line(process)]
    assert len(processes) == 2
    wait_until(lambda: all(listens_on(process, studio.port) for process in processes))
    with ExitStack() as stack:
        for _ in range(40):
            stack.enter_context(socket.create_connection(("127.0.0.1", studio.port)))
        wait_until(lambda: sum(len(connections_to(process, studio.port)) for process in processes) >= 40)
        shares = [len(connections_to(process, studio.port)) for process in processes]
    assert min(shares) >= 5


def listens_on(process: psutil.Process, port: int) -> bool:
    return any(found.laddr.port == port and found.status == psutil.CONN_LISTEN for found in process.net_connections())


def connections_to(process: psutil.Process, port: int) -> list[object]:
    return [found for found in process.net_connections() if found.laddr.port == port and found.raddr]


@pytest.mark.parametrize("words", ["daphne", "workers", "sweep", "unixsocket"])
def test_a_killed_program_is_restarted(studio: Studio, words: str) -> None:
    killed = studio.program(words)
    assert killed is not None
    killed.kill()
    wait_until(lambda: (found := studio.program(words)) and found != killed, seconds=60)


def test_a_second_studio_on_the_same_data_is_refused(studio: Studio) -> None:
    with override_settings(VAR=studio.var), pytest.raises(CommandError, match="already running on"):
        call_command("studio", port=free_port())


def test_a_taken_port_is_refused_with_a_proposal(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with override_settings(VAR=tmp_path), pytest.raises(CommandError, match=f"PORT={port + 1} make run"):
            call_command("studio", port=port)


def test_sigterm_stops_all_programs(studio: Studio) -> None:
    processes = studio.descendants()
    studio.process.send_signal(signal.SIGTERM)
    assert studio.process.wait(timeout=30) == 0
    assert not [process for process in processes if process.is_running()]
    assert "Stopping." in studio.output


def test_no_program_outlives_its_kill(tmp_path: Path) -> None:
    studio = Studio(tmp_path)
    studio.wait_for("2 workers ready")
    wait_until(
        lambda: len(studio.descendants()) >= 7
    )  # Redis, two web processes, sweeper, the pool and its two workers
    processes = studio.descendants()
    studio.process.kill()
    studio.process.wait()
    wait_until(lambda: not [process for process in processes if process.is_running()])


def test_an_unreachable_redis_is_named_without_its_password(tmp_path: Path) -> None:
    with (
        override_settings(VAR=tmp_path, REDIS_URL="redis://:secret@127.0.0.1:1/0"),
        pytest.raises(CommandError, match=r"redis://…@127\.0\.0\.1:1/0 does not answer. Start it, or check REDIS_URL"),
    ):
        call_command("studio", port=free_port())


def test_an_address_of_another_machine_is_refused(tmp_path: Path) -> None:
    with override_settings(VAR=tmp_path), pytest.raises(CommandError, match="Check HOST and PORT"):
        call_command("studio", host="192.0.2.1", port=free_port())


@pytest.mark.parametrize(
    ("host", "address"),
    [("127.0.0.1", "http://127.0.0.1:80"), ("0.0.0.0", "http://localhost:80"), ("::1", "http://[::1]:80")],
)
def test_the_printed_address_works_in_a_browser(host: str, address: str) -> None:
    assert command.browser_address(host, 80) == address


def test_the_model_is_named() -> None:
    with override_settings(HAS_MODEL=True, LLM_MODEL="mine-7b"):
        assert command.writer_in_use() == "Articles are written by mine-7b."


@pytest.mark.parametrize(
    ("cores", "quota", "count"), [(1, "max 1", 1), (2, "max 1", 2), (8, "max 1", 2), (8, "150000 100000", 1)]
)
def test_there_are_two_web_processes_if_there_are_cores_for_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, cores: int, quota: str, count: int
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: range(cores))
    monkeypatch.setattr(command, "CPU_QUOTA", tmp_path / "cpu.max")
    assert command.default_web_processes() == min(2, cores)
    (tmp_path / "cpu.max").write_text(f"{quota}\n")
    assert command.default_web_processes() == count


def test_less_than_one_web_process_is_refused(tmp_path: Path) -> None:
    with override_settings(VAR=tmp_path), pytest.raises(CommandError, match="WEB_PROCESSES must be 1 or more"):
        call_command("studio", port=free_port(), web_processes=0)
