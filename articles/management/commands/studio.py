"""``manage.py studio``: the whole studio in one terminal."""

from __future__ import annotations

import asyncio
import errno
import fcntl
import os
import socket
import sys
from argparse import ArgumentParser
from collections.abc import Callable
from typing import IO, Any

import httpx
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connections

from contentstudio.logs import relayed
from contentstudio.runtime import redis_server
from contentstudio.runtime.first_login import create_first_login
from contentstudio.runtime.static import collect_static_files
from contentstudio.runtime.supervisor import Program, Supervisor

LOOK_EVERY = 0.1  # seconds between two looks whether something has come up
# A quiet socket is asked for a sign of life every 10 s, and dropped where none comes within another 10.
PINGS = ("--ping-interval", "10", "--ping-timeout", "10")


class Command(BaseCommand):
    help = "Runs the studio: store, Redis, web, workers and sweeper, until Ctrl-C."
    requires_system_checks = []  # they load every page; the web does so for itself

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default=os.environ.get("HOST") or "127.0.0.1")
        parser.add_argument("--port", type=int, default=os.environ.get("PORT") or 8000)
        parser.add_argument("--workers", type=int, default=os.environ.get("WORKERS") or None)

    def handle(self, *args: Any, host: str, port: int, workers: int | None, **options: Any) -> None:
        lock = hold_the_only_studio()
        require_free_port(host, port)
        if settings.REDIS_URL and not redis_server.is_reachable(settings.REDIS_URL):
            shown = redis_server.mask_password(settings.REDIS_URL)
            raise CommandError(f"The Redis at {shown} does not answer. Start it, or check REDIS_URL.")
        self.prepare_store()
        asyncio.run(self.supervise(host, port, workers))
        lock.close()

    def prepare_store(self) -> None:
        """Bring the tables and the static files up to date; make the first login where there is none."""
        call_command("migrate", interactive=False, verbosity=0)
        collect_static_files(settings.VAR / "static-fingerprint")
        path = settings.VAR / "first-login.txt"
        if login := create_first_login(path):
            # A log is kept for long and read by many, a terminal is not.
            shown = "." if self.relay else f", and shown this once:\n{login}"
            self.tell(f"Your first login is kept in {path}{shown}")
        connections.close_all()

    async def supervise(self, host: str, port: int, workers: int | None) -> None:
        supervisor = Supervisor(programs(host, port, workers), say=self.tell, relay=self.relay)

        async def ready() -> None:
            await web_answers(host, port)
            self.tell(f"Content Studio is ready: {address(host, port)}\n{writer_in_use()}\nCtrl-C stops it.")

        await supervisor.run(founded=redis_answers, ready=ready)

    @property
    def relay(self) -> Callable[[str, str], str] | None:
        """How a line is made of who wrote it and what: None where the supervisor's own way is right, for a terminal."""
        return relayed if settings.LOG_FORMAT == "json" else None

    def tell(self, line: str) -> None:
        self.stdout.write(self.relay("studio", line) if self.relay else line)  # a program's is left as it is
        self.stdout.flush()


def programs(host: str, port: int, workers: int | None) -> list[Program]:
    """What the studio consists of. Redis is only ours to run where REDIS_URL names none."""
    manage = [sys.executable, str(settings.BASE_DIR / "manage.py")]
    counted = ["--count", str(workers)] if workers else []
    web = [sys.executable, "-m", "contentstudio.runtime.daphne", "-v", "0", *PINGS, "-b", host, "-p", str(port)]
    found = [
        Program("web", [*web, "contentstudio.asgi:application"]),
        Program("workers", [*manage, "workers", *counted]),
        Program("sweeper", [*manage, "sweep"]),
    ]
    if not settings.REDIS_URL:
        directory = settings.VAR / "redis"
        redis_server.prepare_directories(settings.REDIS_SOCKET, directory)
        command = redis_server.server_command(settings.REDIS_SOCKET, directory)
        found.append(Program("redis", command, foundation=True))
    return found


def hold_the_only_studio() -> IO[str]:
    """Lock ``var/``: a second studio on the same store would take the first one's Redis away. Freed when we end, however."""
    file = (settings.VAR / "studio.lock").open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise CommandError(
            f"A studio is already running on {settings.VAR}. Stop it first, or set VAR to another directory."
        ) from None
    return file


def require_free_port(host: str, port: int) -> None:
    """Say now, and clearly, what the web's own log would say late and in its own words."""
    try:
        family, kind, _, _, name = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(name)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise CommandError(f"Port {port} is taken. Choose another one: PORT={port + 1} make run") from None
        raise CommandError(f"Cannot listen on {host}, port {port}: {error.strerror}. Check HOST and PORT.") from None


def address(host: str, port: int) -> str:
    """Where a browser on this machine finds the studio."""
    shown = "localhost" if host in {"0.0.0.0", "::"} else host  # noqa: S104  (compared, not bound)
    return f"http://[{shown}]:{port}" if ":" in shown else f"http://{shown}:{port}"


def writer_in_use() -> str:
    if settings.HAS_MODEL:
        return f"Articles are written by {settings.LLM_MODEL}."
    return (
        "No model is configured: the built-in writer quotes sources and writes nothing of its own. "
        "For a model, set OPENAI_API_KEY (or OPENAI_BASE_URL) and LLM_MODEL in .env; see .env.example."
    )


async def redis_answers() -> None:
    if not await asyncio.to_thread(redis_server.wait_until_reachable, settings.REDIS_ADDRESS):
        raise CommandError("The embedded Redis has not come up within ten seconds. Its lines above say why.")


async def web_answers(host: str, port: int) -> None:
    """Wait until the web gives an answer, be it an error: it is then up, and its lines say the rest."""
    async with httpx.AsyncClient(trust_env=False, base_url=address(host, port)) as client:
        while True:
            try:
                await client.get("/", timeout=10.0)
            except httpx.TransportError:
                await asyncio.sleep(LOOK_EVERY)
            else:
                return
