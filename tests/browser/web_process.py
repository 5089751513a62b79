"""The studio's web in a process of its own, to be killed and started again while a page looks on."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from tests.environment import ROOT
from tests.waiting import wait_until


class WebProcess:
    """Always on the same port, as after a restart."""

    def __init__(self, environment: dict[str, str]) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.address = f"http://127.0.0.1:{self.port}"
        self._environment = environment

    def start(self) -> None:
        """Start it, and wait until it answers."""
        command = [sys.executable, "-m", "contentstudio.runtime.daphne", "-v", "0", "-p", str(self.port)]
        self._process = subprocess.Popen([*command, "contentstudio.asgi:application"], env=self._environment, cwd=ROOT)
        wait_until(self.answers, seconds=40)

    def answers(self) -> bool:
        try:
            return httpx.get(f"{self.address}/login/", timeout=10, trust_env=False).status_code < 500
        except httpx.TransportError:
            return False

    @property
    def pid(self) -> int:
        return self._process.pid

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()


@contextmanager
def web_process(environment: dict[str, str]) -> Iterator[WebProcess]:
    web = WebProcess(environment)
    web.start()
    try:
        yield web
    finally:
        web.kill()
