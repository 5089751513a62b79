"""The last lines of a studio that runs in a terminal, for a support bundle. Containers and services have their own logs."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path

MAX_BYTES = 1_000_000  # of the file, and of the one before it


class RecentLog(RotatingFileHandler):
    """Appends lines with their time to ``path``."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, maxBytes=MAX_BYTES, backupCount=1, encoding="utf-8", errors="replace", delay=True)

    def write(self, line: str) -> None:
        self.emit(logging.makeLogRecord({"msg": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {line}"}))

    def handleError(self, record: logging.LogRecord) -> None:
        """Nothing is done, as with a full disk: each line is in the terminal, too."""
