"""``manage.py studio``: the whole studio in one terminal, or one of its roles on a machine or in a container of its own."""

from __future__ import annotations

import asyncio
import errno
import fcntl
import os
import signal
import socket
import sys
from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, NoReturn

import httpx
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection, connections

from articles.exceptions import BackupRefused, IncompatibleDatabase
from articles.operations.backup.automatic import back_up_before_migrating, record_success
from contentstudio.logs import as_json_line
from contentstudio.runtime import redis_server
from contentstudio.runtime.compatibility import refuse_too_new, refuse_too_old
from contentstudio.runtime.first_login import create_first_login
from contentstudio.runtime.migrations import migration_lock, wait_for_database, wait_for_migrations
from contentstudio.runtime.recent_log import RecentLog
from contentstudio.runtime.roles import Role
from contentstudio.runtime.static import collect_static_files
from contentstudio.runtime.supervisor import Program, Supervisor

READY_POLL_INTERVAL = 0.1  # seconds
# A socket without messages is pinged every 10 s, and closed if no answer comes within another 10.
PINGS = ("--ping-interval", "10", "--ping-timeout", "10")
CPU_QUOTA = Path("/sys/fs/cgroup/cpu.max")


class Command(BaseCommand):
    help = "Runs the studio until Ctrl-C: database migrations, Redis, web, workers and sweeper. Or one role of it."
    requires_system_checks = []  # they import every page; the web process runs them itself
    recent_log: RecentLog | None = None

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--role",
            choices=list(Role),
            default=os.environ.get("ROLE") or Role.ALL,
            help="what to run (default: all). web, worker and sweeper need a PostgreSQL and a Redis that they share, and"
            " wait for migrate, which applies the migrations, creates the first login and exits",
        )
        parser.add_argument("--host", default=os.environ.get("HOST") or "127.0.0.1", help="address to listen on")
        parser.add_argument("--port", type=int, default=os.environ.get("PORT") or 8000, help="port to listen on")
        parser.add_argument(
            "--workers", type=int, default=os.environ.get("WORKERS") or None, help="number of articles written at once"
        )
        parser.add_argument(
            "--web-processes",
            type=int,
            default=os.environ.get("WEB_PROCESSES") or None,
            help="number of processes that serve pages, API and sockets (default: 2, or 1 on one core)",
        )

    def handle(
        self,
        *args: Any,
        role: str,
        host: str,
        port: int,
        workers: int | None,
        web_processes: int | None,
        **options: Any,
    ) -> None:
        if web_processes is not None and web_processes < 1:
            raise CommandError("WEB_PROCESSES must be 1 or more.")
        if role not in list(Role):  # ROLE is not checked by the parser
            raise CommandError(f"ROLE is {role}, but must be one of {', '.join(Role)}.")
        # The programs find the studio's packages from any working directory.
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(settings.BASE_DIR), os.getenv("PYTHONPATH")]))
        found = programs(host, port, workers, web_processes or default_web_processes())
        if role == Role.ALL:
            self.run_all(host, port, found)
        elif role == Role.MIGRATE:
            with lock_data_directory(shared=True):
                signal.signal(signal.SIGTERM, stop_waiting)
                wait_for_database(self.print_line)
                self.prepare_database()
        else:
            self.run_role(Role(role), host, port, found)

    def run_all(self, host: str, port: int, programs: list[Program]) -> None:
        with lock_data_directory():
            self.recent_log = RecentLog(settings.RECENT_LOG)
            require_free_port(host, port)
            if settings.REDIS_URL and not redis_server.is_reachable(settings.REDIS_URL):
                shown = redis_server.mask_password(settings.REDIS_URL)
                raise CommandError(f"The Redis at {shown} does not answer. Start it, or check REDIS_URL.")
            self.prepare_database()
            self.prepare_files()
            if not settings.REDIS_URL:
                programs = [*programs, redis_program()]
            asyncio.run(self.supervise(host, port, programs))

    def run_role(self, role: Role, host: str, port: int, programs: list[Program]) -> None:
        """Run the programs of ``role``: several under a supervisor, a single one in the place of this process."""
        require_shared_services(role)
        with lock_data_directory(shared=True) as lock:
            signal.signal(signal.SIGTERM, stop_waiting)
            if role == Role.WEB:
                require_free_port(host, port)
                self.prepare_files()
            wait_for_migrations(self.print_line)
            try:
                refuse_too_new()
            except IncompatibleDatabase as error:
                raise CommandError(str(error)) from error
            own = [program for program in programs if program.role == role]
            if len(own) > 1:
                asyncio.run(self.supervise(host, port, own))
                return
            self.stdout.flush()
            os.set_inheritable(lock.fileno(), True)  # the program keeps the lock
            os.execve(own[0].command[0], list(own[0].command), {**os.environ, "PYTHONUNBUFFERED": "1"})  # noqa: S606

    def prepare_database(self) -> None:
        """Back up and migrate the database, create the first login if there are no users."""
        try:
            with migration_lock():
                refuse_too_old()
                refuse_too_new()
                backup = back_up_before_migrating(self.print_line)
                call_command("migrate", interactive=False, verbosity=0)
                if backup:
                    record_success(backup)
                created = create_first_login()
        except (BackupRefused, IncompatibleDatabase) as error:
            raise CommandError(str(error)) from error
        if created:  # not printed: output may end up in a log, which many can read
            self.print_line(f"Your first login is in {settings.FIRST_LOGIN_FILE}. Sign in and change its password.")
        connections.close_all()

    def prepare_files(self) -> None:
        if not settings.STATIC_COLLECTED:
            collect_static_files(settings.VAR / "static-fingerprint")

    async def supervise(self, host: str, port: int, programs: list[Program]) -> None:
        supervisor = Supervisor(programs, write=self.print_line, format_line=self.format_line)

        async def on_ready() -> None:
            await web_is_ready(host, port)
            self.print_line(
                f"Content Studio is ready: {browser_address(host, port)}\n{writer_in_use()}\nCtrl-C stops it."
            )

        await supervisor.run(wait_for_required=redis_is_ready, on_ready=on_ready)

    @property
    def format_line(self) -> Callable[[str, str], str] | None:
        """How a program's output is printed; None for the supervisor's own format, which is for terminals."""
        return as_json_line if settings.LOG_FORMAT == "json" else None

    def print_line(self, line: str) -> None:
        printed = self.format_line("studio", line) if self.format_line else line
        self.stdout.write(printed)
        self.stdout.flush()
        if self.recent_log:
            self.recent_log.write(printed)


def programs(host: str, port: int, workers: int | None, web_processes: int) -> list[Program]:
    """The studio's programs, without an embedded Redis."""
    manage = [sys.executable, str(settings.BASE_DIR / "manage.py")]
    web = [sys.executable, "-m", "contentstudio.runtime.daphne", "-v", "0", "--no-server-name", *PINGS]
    web += ["--endpoint", f"reuseport:{port}:{host}", "contentstudio.asgi:application"]
    names = ["web"] if web_processes == 1 else [f"web-{number}" for number in range(1, web_processes + 1)]
    return [
        *(Program(name, web, Role.WEB) for name in names),
        Program("workers", [*manage, "workers", *(["--count", str(workers)] if workers else [])], Role.WORKER),
        Program("sweeper", [*manage, "sweep"], Role.SWEEPER),
    ]


def redis_program() -> Program:
    directory = settings.VAR / "redis"
    redis_server.prepare_directories(settings.REDIS_SOCKET, directory)
    return Program("redis", redis_server.server_command(settings.REDIS_SOCKET, directory), required=True)


def require_shared_services(role: Role) -> None:
    """Raise CommandError if the roles of this studio could not meet: without an address each would use files of its own."""
    missing = []
    if connection.vendor == "sqlite":
        missing.append("DATABASE_URL with the address of a PostgreSQL server")
    if not settings.REDIS_URL:
        missing.append("REDIS_URL with the address of a Redis or Valkey server")
    if settings.S3_BUCKET and has_generated_key():
        missing.append("SECRET_KEY, as each VAR would have a key of its own")
    if missing:
        raise CommandError(f"The role {role} shares its data with the other roles. Set {' and '.join(missing)}.")


def has_generated_key() -> bool:
    """Whether the signing key is the one in VAR. With files in S3, machines need not share VAR."""
    generated = settings.VAR / "secret-key"
    return generated.exists() and generated.read_text() == settings.SECRET_KEY


def stop_waiting(number: int, frame: object) -> NoReturn:
    """Handles SIGTERM until the programs run: the first process of a container would ignore it."""
    raise SystemExit(128 + number)


def default_web_processes() -> int:
    """Two, if there are cores for them: each takes 115 MB, and a third gains nothing while articles are written."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if CPU_QUOTA.exists():  # of a container: microseconds of CPU in a period, or "max"
        quota, period = CPU_QUOTA.read_text().split()
        cores = cores if quota == "max" else min(cores, int(quota) // int(period))
    return 2 if cores >= 2 else 1


def lock_data_directory(*, shared: bool = False) -> IO[str]:
    """Lock VAR, until the file is closed or the process ends: a second studio on it would replace the first one's Redis.

    Single roles share the lock with each other.
    """
    file = (settings.VAR / "studio.lock").open("w")
    try:
        fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        raise CommandError(
            f"A studio is already running on {settings.VAR}. Stop it first, or set VAR to another directory."
        ) from None
    return file


def require_free_port(host: str, port: int) -> None:
    """Raise CommandError if the web processes could not listen: their own message would come late and be unclear.

    They share the port, but only with each other: this would be refused to a socket that does not share it.
    """
    try:
        family, kind, _, _, name = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(name)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise CommandError(f"Port {port} is taken. Choose another one: PORT={port + 1} make run") from None
        raise CommandError(f"Cannot listen on {host}, port {port}: {error.strerror}. Check HOST and PORT.") from None


def browser_address(host: str, port: int) -> str:
    """The URL of the studio for a browser on this machine."""
    shown = "localhost" if host in {"0.0.0.0", "::"} else host  # noqa: S104  (compared, not bound)
    return f"http://[{shown}]:{port}" if ":" in shown else f"http://{shown}:{port}"


def writer_in_use() -> str:
    if settings.HAS_MODEL:
        return f"Articles are written by {settings.LLM_MODEL}."
    return (
        "No model is configured: the built-in writer quotes sources and writes nothing of its own. "
        "For a model, set OPENAI_API_KEY (or OPENAI_BASE_URL) and LLM_MODEL in .env; see .env.example."
    )


async def redis_is_ready() -> None:
    if not await asyncio.to_thread(redis_server.wait_until_reachable, settings.REDIS_ADDRESS):
        raise CommandError("The embedded Redis did not start within ten seconds. See its output above.")


async def web_is_ready(host: str, port: int) -> None:
    """Wait for a response, even an error: the web process is running then, and logs what is wrong."""
    async with httpx.AsyncClient(trust_env=False, base_url=browser_address(host, port)) as client:
        while True:
            try:
                await client.get("/", timeout=10.0)
            except httpx.TransportError:
                await asyncio.sleep(READY_POLL_INTERVAL)
            else:
                return
