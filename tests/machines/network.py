"""Machines: network namespaces on a bridge, with processes of their own that can be killed all at once."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from contentstudio.runtime.parent_death import die_with_parent

BRIDGE, NETWORK = "studio-lan", "10.87.61"
HOST = f"{NETWORK}.1"
"""The address of the tests themselves."""


def missing() -> str:
    """What this machine lacks for namespaces; empty if nothing."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    needed = [name for name in ("ip", "tc", "unshare", "setpriv") if not shutil.which(name)]
    return f"{', '.join(needed)} missing (apt-get install iproute2 util-linux)" if needed else ""


def run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True)


@contextmanager
def lan() -> Iterator[None]:
    """A bridge that machines are connected to, and that this process can reach."""
    subprocess.run(["ip", "link", "delete", BRIDGE], check=False, capture_output=True)  # of a killed test
    run("ip", "link", "add", BRIDGE, "type", "bridge")
    try:
        run("ip", "addr", "add", f"{HOST}/24", "dev", BRIDGE)
        run("ip", "link", "set", BRIDGE, "up")
        yield
    finally:
        run("ip", "link", "delete", BRIDGE)


class Machine:
    """``number`` is the last part of its address."""

    def __init__(self, name: str, number: int, directory: Path) -> None:
        self.name, self.address, self.directory = name, f"{NETWORK}.{number}", directory / name
        self.directory.mkdir()
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self._link = f"studio-{number}"
        for kind in ("link", "netns"):  # of a killed test
            subprocess.run(["ip", kind, "delete", self._link], check=False, capture_output=True)
        run("ip", "netns", "add", self._link)
        run("ip", "link", "add", self._link, "type", "veth", "peer", "name", "eth0", "netns", self._link)
        run("ip", "link", "set", self._link, "master", BRIDGE, "up")
        self._inside("ip", "addr", "add", f"{self.address}/24", "dev", "eth0")
        for device in ("lo", "eth0"):
            self._inside("ip", "link", "set", device, "up")

    def _inside(self, *command: str) -> None:
        run("ip", "netns", "exec", self._link, *command)

    def start(self, name: str, command: Sequence[str], environment: Mapping[str, str], **more: Any) -> None:
        """Start a program in a process namespace of its own: on another machine nobody can see its pid."""
        parent = os.getpid()
        isolated = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "--uts", "--"]
        with self.log(name).open("a") as log:
            self.processes[name] = subprocess.Popen(
                [
                    "ip",
                    "netns",
                    "exec",
                    self._link,
                    *isolated,
                    "sh",
                    "-c",
                    'hostname "$0"; exec "$@"',
                    self.name,
                    *command,
                ],
                env=environment,
                stdout=log,
                stderr=log,
                preexec_fn=lambda: die_with_parent(parent),
                **more,
            )

    def log(self, name: str) -> Path:
        return self.directory / f"{name}.log"

    def said(self, name: str) -> str:
        return self.log(name).read_text() if self.log(name).exists() else ""

    def stop(self, name: str) -> None:
        """As systemd or Kubernetes would: SIGTERM to the program itself, which is the child of ``unshare``."""
        process = self.processes.pop(name)
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        run("kill", "-TERM", *children)
        process.wait(60)

    def kill(self) -> None:
        """All processes at once, as if the power failed: with the first process of a namespace the others are killed."""
        for process in self.processes.values():
            process.kill()
        for process in self.processes.values():
            process.wait()
        self.processes.clear()

    def remove(self) -> None:
        self.kill()
        run("ip", "link", "delete", self._link)  # the kernel removes a namespace later than its name
        run("ip", "netns", "delete", self._link)

    # Its link

    def slow_down(self) -> str:
        """Delay what it sends, and lose some of it; of a kernel that cannot (netem), lower the rate. Says which."""
        kinds = {
            "delayed by 20 ms, 0.5 % lost": ["netem", "delay", "20ms", "5ms", "loss", "0.5%"],
            "limited to 8 Mbit/s": ["tbf", "rate", "8mbit", "burst", "32kbit", "latency", "400ms"],
        }
        for said, options in kinds.items():
            command = ["ip", "netns", "exec", self._link, "tc", "qdisc", "replace", "dev", "eth0", "root", *options]
            if subprocess.run(command, check=False, capture_output=True).returncode == 0:
                return said
        raise AssertionError("tc can shape no link")

    @contextmanager
    def cut(self) -> Iterator[None]:
        """Nothing gets through during the block; connections stay open, as with a pulled cable."""
        run("ip", "link", "set", self._link, "down")
        try:
            yield
        finally:
            run("ip", "link", "set", self._link, "up")
