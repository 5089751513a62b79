"""Starts containers of the image with runc, as strictly as a cluster would: any user, read-only root, no capabilities."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.image.building import Image

USER = 4242
NAMESPACES = [{"type": kind} for kind in ("pid", "ipc", "uts", "mount")]  # the network is the machine's
MOUNTS = [
    {"destination": "/proc", "type": "proc", "source": "proc"},
    {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755", "size=65536k"]},
    {"destination": "/dev/shm", "type": "tmpfs", "source": "shm", "options": ["nosuid", "mode=1777", "size=65536k"]},
    {"destination": "/tmp", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "nodev", "mode=1777"]},
]


class Container:
    """One container. ``data`` is mounted at /data. ``command`` replaces that of the image, but not its entry point."""

    def __init__(
        self,
        image: Image,
        directory: Path,
        name: str,
        data: Path,
        settings: Mapping[str, str],
        *,
        command: Sequence[str] = (),
        user: int = USER,
    ) -> None:
        self.id, self.directory = f"studio-test-{os.getpid()}-{name}", directory / name
        self.directory.mkdir()
        bound = [(data, "/data"), *((Path(path), path) for path in ("/etc/resolv.conf", "/etc/hosts"))]
        config = {
            "ociVersion": "1.0.2",
            "root": {"path": str(image.root), "readonly": True},
            "hostname": name,
            "process": {
                "terminal": False,
                "user": {"uid": user, "gid": 0},
                "args": [*image.config["Entrypoint"], *(command or image.config["Cmd"])],
                "env": [*image.config["Env"], *(f"{key}={value}" for key, value in settings.items())],
                "cwd": image.config["WorkingDir"],
                "capabilities": {},
                "noNewPrivileges": True,
            },
            "mounts": [*MOUNTS, *(bind(source, target) for source, target in bound)],
            "linux": {"namespaces": NAMESPACES},
        }
        (self.directory / "config.json").write_text(json.dumps(config))

    @property
    def output(self) -> str:
        return (self.directory / "output").read_text()

    @contextmanager
    def running(self) -> Iterator[subprocess.Popen[bytes]]:
        """Run it inside the block; it is then stopped with SIGTERM and, after 30 s, killed."""
        with (self.directory / "output").open("w") as output:
            process = subprocess.Popen(
                ["runc", "run", "--bundle", self.directory, self.id], stdout=output, stderr=subprocess.STDOUT
            )
        try:
            yield process
        finally:
            if process.poll() is None:
                runc("kill", self.id, "TERM")
                try:
                    process.wait(30)
                except subprocess.TimeoutExpired:
                    runc("kill", self.id, "KILL")
                    process.wait()

    def execute(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run ``command`` in the running container."""
        return runc("exec", self.id, *command)


def bind(source: Path, target: str) -> dict[str, object]:
    return {"destination": target, "type": "bind", "source": str(source), "options": ["rbind", "rw"]}


def runc(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["runc", *arguments], capture_output=True, text=True, check=False)
