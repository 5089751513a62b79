"""``manage.py studio --role …`` and ``manage.py healthcheck``, with real processes on a PostgreSQL and a Redis of their own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import httpx
import psutil
import pytest
from django.core.management import CommandError, call_command
from django.test import Client, override_settings

from articles.management.commands import studio
from contentstudio.runtime import healthcheck
from contentstudio.runtime.roles import Role
from setup.postgres import new_cluster
from tests.environment import ROOT
from tests.static_files import bring_static_files
from tests.test_studio_command import free_port
from tests.waiting import wait_until

MAX_AGE = {"sweeper": "4", "worker": "13", "web": "1"}
"""Seconds: the sweeper sends a heartbeat every second, an idle worker every ten, the web none."""


class Machine:
    """The settings of a machine that has one database and one Redis with others, and the roles that run on it.

    ``code`` is the directory of the version it runs.
    """

    def __init__(self, directory: Path, database: str, redis: str, *, code: Path = ROOT) -> None:
        self.directory, self.port, self.code = directory, free_port(), code
        self.environment = {
            **os.environ,
            "VAR": str(directory / "var"),
            "TMPDIR": str(directory),
            "PORT": str(self.port),
            "WORKERS": "2",
            "WEB_PROCESSES": "2",
            "DATABASE_URL": database,
            "REDIS_URL": redis,
        }
        bring_static_files(directory / "var")

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=self.code,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def health(self, role: str) -> str:
        """Empty if it is healthy, else what is wrong. As a container asks; ``manage.py healthcheck`` takes longer."""
        done = self.run("-m", "contentstudio.runtime.healthcheck", "--role", role, "--max-age", MAX_AGE[role])
        assert done.stdout == ("" if done.returncode else "healthy\n")
        return done.stderr.strip()

    def migrate_at_once(self, times: int) -> list[str]:
        """The last line that each of ``times`` processes prints; none may fail."""
        command = [sys.executable, str(self.code / "manage.py"), "studio", "--role", "migrate"]
        output = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        started = [subprocess.Popen(command, env=self.environment, **output) for _ in range(times)]  # type: ignore[call-overload]
        printed = [process.communicate()[0] for process in started]
        assert [process.returncode for process in started] == [0] * times, printed
        return ["".join(text.splitlines()[-1:]) for text in printed]

    @property
    def first_login(self) -> Path:
        return self.directory / "var" / "first-login.txt"

    @contextmanager
    def running(self, role: str) -> Iterator[psutil.Popen]:
        """The process of the role, until the end of the block."""
        with self.log(role).open("w") as log:
            process = psutil.Popen(
                [sys.executable, str(self.code / "manage.py"), "studio", "--role", role],
                env=self.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        try:
            yield process
        finally:
            if process.is_running():
                for child in [*process.children(recursive=True), process]:
                    child.kill()
                process.wait()

    def log(self, role: str) -> Path:
        return self.directory / f"{role}-{self.port}.log"

    def wait_for(self, role: str, words: str) -> None:
        wait_until(lambda: words in self.log(role).read_text(), seconds=120)


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    with new_cluster() as cluster, cluster.running():
        yield cluster.url("postgres")


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory, database: str, redis_server: str) -> Machine:
    """Its database is empty until the role ``migrate`` has run."""
    return Machine(tmp_path_factory.mktemp("machine"), database, f"{redis_server}?db=3")


@pytest.fixture(scope="module")
def migrated(machine: Machine) -> Machine:
    """The same machine, whose database is ready."""
    assert machine.run("manage.py", "studio", "--role", "migrate").returncode == 0
    return machine


def test_the_others_wait_for_the_migrations(machine: Machine) -> None:
    with machine.running("sweeper") as sweeper:
        machine.wait_for("sweeper", "migrations to be applied: `manage.py studio --role migrate` does that.")
        assert machine.health("sweeper") == "The sweeper has not swept yet on this machine."
        assert sorted(machine.migrate_at_once(3)) == [
            "",
            "",
            f"Your first login is in {machine.first_login}. Sign in and change its password.",
        ]
        wait_until(lambda: machine.health("sweeper") == "")
        sweeper.terminate()
        assert sweeper.wait(30) == 0
    assert machine.health("sweeper") == "The sweeper has not swept yet on this machine."


def test_migrating_again_changes_nothing(migrated: Machine) -> None:
    done = migrated.run("manage.py", "studio", "--role", "migrate")
    assert (done.returncode, done.stdout) == (0, "")


def test_a_role_that_waits_stops_at_once(machine: Machine) -> None:
    away = Machine(machine.directory / "away", "postgres://studio@127.0.0.1:1/postgres", "redis://127.0.0.1:1/0")
    with away.running("worker") as worker:
        away.wait_for("worker", "Waiting for the database, which cannot be reached:")
        worker.terminate()
        assert worker.wait(10) == 128 + signal.SIGTERM


def test_a_hung_sweeper_is_unhealthy(migrated: Machine) -> None:
    with migrated.running("sweeper") as sweeper:
        wait_until(lambda: migrated.health("sweeper") == "")
        sweeper.suspend()
        wait_until(lambda: migrated.health("sweeper").startswith("sweeper: the last heartbeat was "))
        sweeper.resume()
        wait_until(lambda: migrated.health("sweeper") == "")
        sweeper.terminate()
        assert sweeper.wait(30) == 0


def test_a_hung_or_dead_worker_with_a_living_parent_is_unhealthy(migrated: Machine) -> None:
    assert migrated.health("worker") == "No worker has started on this machine."
    with migrated.running("worker") as pool:
        migrated.wait_for("worker", "2 workers ready, for 2 articles at once.")
        wait_until(lambda: len(pool.children()) == 2)  # it forks after that line, on a busy machine much later
        assert migrated.health("worker") == ""
        hung, dead = pool.children()
        hung.suspend()
        wait_until(lambda: "the last heartbeat was" in migrated.health("worker"))
        assert pool.is_running()
        hung.resume()
        wait_until(lambda: migrated.health("worker") == "")
        pool.suspend()  # it cannot replace the dead one
        dead.kill()
        wait_until(lambda: "the last heartbeat was" in migrated.health("worker"))
        pool.resume()
        wait_until(lambda: migrated.health("worker") == "")
        pool.terminate()
        assert pool.wait(30) == 0
    assert migrated.health("worker") == "No worker has started on this machine."


def test_the_web_is_unhealthy_if_one_of_its_processes_hangs(migrated: Machine) -> None:
    assert "The web does not answer on 127.0.0.1" in migrated.health("web")
    with migrated.running("web") as web:
        wait_until(lambda: migrated.health("web") == "")
        assert httpx.get(f"http://127.0.0.1:{migrated.port}/api/health", trust_env=False).status_code == 200
        processes = [child for child in web.children() if "daphne" in " ".join(child.cmdline())]
        processes[0].suspend()
        wait_until(lambda: "timed out" in migrated.health("web"))
        processes[0].resume()
        web.terminate()
        assert web.wait(30) == 0


def test_the_command_reports_the_same(machine: Machine) -> None:
    done = machine.run("manage.py", "healthcheck", "--role", "all")
    assert done.returncode == 1
    for problem in ("No worker has started", "The sweeper has not swept yet", "The web does not answer"):
        assert problem in done.stderr


def test_the_whole_studio_is_refused_beside_a_role(migrated: Machine) -> None:
    with migrated.running("sweeper") as sweeper:
        wait_until(lambda: "sweep" in sweeper.cmdline())
        done = migrated.run("manage.py", "studio")
        assert "A studio is already running on" in done.stderr


@pytest.mark.parametrize("role", ["web", "worker", "sweeper"])
def test_a_role_without_shared_services_is_refused(tmp_path: Path, role: str) -> None:
    machine = Machine(tmp_path, "", "")
    done = machine.run("manage.py", "studio", "--role", role)
    assert done.returncode == 1
    assert done.stderr == (
        f"CommandError: The role {role} shares its data with the other roles. Set DATABASE_URL with the address of a"
        " PostgreSQL server and REDIS_URL with the address of a Redis or Valkey server.\n"
    )


@override_settings(S3_BUCKET="pictures", REDIS_URL="redis://elsewhere")
def test_a_role_with_files_in_s3_needs_a_key_that_all_machines_have(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(studio, "connection", SimpleNamespace(vendor="postgresql"))
    with pytest.raises(CommandError, match="Set SECRET_KEY, as each VAR would have a key of its own"):
        studio.require_shared_services(Role.WEB)
    with override_settings(SECRET_KEY="k" * 50):
        studio.require_shared_services(Role.WEB)


def test_an_unknown_role_is_refused() -> None:
    with pytest.raises(CommandError, match=r"^ROLE is both, but must be one of all, web, worker, sweeper, migrate"):
        call_command("studio", role="both")


@pytest.mark.parametrize(
    ("hosts", "host"),
    [
        (["studio.example"], "studio.example"),
        ([".example.com"], "example.com"),
        (["*"], "localhost"),
        ([], "localhost"),
    ],
)
def test_the_web_is_asked_for_a_host_it_serves(hosts: list[str], host: str) -> None:
    with override_settings(ALLOWED_HOSTS=hosts):
        assert healthcheck.served_host() == host


def test_the_health_of_a_studio_behind_tls_is_not_redirected(client: Client, db: None) -> None:
    with override_settings(SECURE_SSL_REDIRECT=True):
        assert client.get("/api/health").status_code == 200
        assert client.get("/").status_code == 301
