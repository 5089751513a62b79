"""A separate web process that a test can measure, stop, kill and start again."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import httpx

from tests.environment import ROOT
from tests.waiting import wait_until

STUDIO = "contentstudio.asgi:application"


class WebProcess:
    """Listens on the same port each time it is started."""

    def __init__(self, environment: Mapping[str, str], application: str = STUDIO) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.address = f"http://127.0.0.1:{self.port}"
        self._environment = environment
        self._application = application

    def start(self) -> None:
        """Start it, and wait until it answers."""
        command = [
            sys.executable,
            "-m",
            "contentstudio.runtime.daphne",
            "-v",
            "0",
            "-e",
            f"reuseport:{self.port}:127.0.0.1",
        ]
        self.process = subprocess.Popen([*command, self._application], env=self._environment, cwd=ROOT)
        wait_until(self.answers, seconds=40)

    def answers(self) -> bool:
        try:
            return httpx.get(f"{self.address}/sign-in/", timeout=10, trust_env=False).status_code < 500
        except httpx.TransportError:
            return False

    @property
    def pid(self) -> int:
        return self.process.pid

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@contextmanager
def web_process(environment: Mapping[str, str], application: str = STUDIO) -> Iterator[WebProcess]:
    web = WebProcess(environment, application)
    web.start()
    try:
        yield web
    finally:
        web.kill()
