"""A real S3 server in a process of its own: ``rclone serve s3``, which checks signatures and keeps objects as files."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from contentstudio.runtime.parent_death import die_with_parent
from tests.test_studio_command import free_port
from tests.waiting import wait_until

KEY, SECRET, BUCKET = "studio-tests", "a-secret-of-the-tests", "content-studio"
RCLONE = Path(sys.executable).with_name("rclone")


class S3Server:
    """Serves ``folder``, which has one folder for each bucket."""

    def __init__(self, folder: Path, address: str = "") -> None:
        self.folder, self.address = folder, address or f"127.0.0.1:{free_port()}"
        self._process: subprocess.Popen[bytes] | None = None
        (folder / BUCKET).mkdir(parents=True, exist_ok=True)

    @property
    def settings(self) -> dict[str, str]:
        """Settings of a studio that uses it."""
        return {
            "S3_BUCKET": BUCKET,
            "S3_ENDPOINT_URL": f"http://{self.address}",
            "S3_ACCESS_KEY_ID": KEY,
            "S3_SECRET_ACCESS_KEY": SECRET,
        }

    @property
    def command(self) -> list[str]:
        """It sees after a second what a test changes in its folder. Without any cache, rclone 1.75 takes a whole processor."""
        return [
            *(str(RCLONE), "serve", "s3", str(self.folder), f"--addr={self.address}", f"--auth-key={KEY},{SECRET}"),
            *("--vfs-cache-mode=off", "--dir-cache-time=1s", "--config="),
        ]

    def start(self) -> None:
        parent = os.getpid()
        log = self.folder.with_suffix(".log").open("a")
        with log:
            self._process = subprocess.Popen(
                self.command, stdout=log, stderr=log, preexec_fn=lambda: die_with_parent(parent)
            )
        wait_until(lambda: "Starting s3 server" in self.said, seconds=20)

    @property
    def said(self) -> str:
        return self.folder.with_suffix(".log").read_text()

    def stop(self) -> None:
        """Its files stay."""
        if self._process:
            self._process.kill()
            self._process.wait()
            self.folder.with_suffix(".log").unlink()
        self._process = None

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """An outage during the block."""
        self.stop()
        try:
            yield
        finally:
            self.start()

    def objects(self) -> dict[str, Path]:
        """Files by the names of their objects."""
        root = self.folder / BUCKET
        return {path.relative_to(root).as_posix(): path for path in root.rglob("*") if path.is_file()}
