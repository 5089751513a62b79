"""The last lines of a log, reduced to what the studio itself wrote."""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Iterable, Iterator

from articles.operations.support.redaction import Redactor

KEPT_LINES = 5000
LONGEST = 400  # characters of a line

TIME = r"(?:\d{4}-\d\d-\d\d[T ][\d:.]+(?:Z|[+-]\d\d:?\d\d)?|[A-Z][a-z]{2} [ \d]\d [\d:]{8})"
LINE = re.compile(
    rf"^(?P<time>{TIME})?.*?(?P<level>DEBUG|INFO|WARNING|ERROR|CRITICAL) (?P<logger>[\w.]+): (?P<event>.*)$"
)
FRAME = re.compile(r'File "(?P<path>[^"]*)", line (?P<line>\d+), in (?P<function>[\w<>.]+)')
SUPERVISOR = re.compile(
    r"((?:[\w-]+ +\| )?(?:exited with code -?\d+|was killed by \w+|could not be started)\b.*|Stopping\.|Content Studio is ready)"
)
NOT_KEPT = "accounts.audit"
"""The logger whose lines are about people."""


def reduced(lines: Iterable[str], redactor: Redactor) -> Iterator[str]:
    """Structured lines and the frames of tracebacks. Anything else could be part of a text, and is left out."""
    for line in deque(lines, KEPT_LINES):
        for kept in parts_kept(line.rstrip("\n")):
            yield redactor.line(kept)[:LONGEST]


def parts_kept(line: str) -> Iterator[str]:
    if (start := line.find("{")) >= 0 and (entry := as_entry(line[start:])):
        if entry.get("logger") != NOT_KEPT:
            names = ("time", "level", "logger", "event", "run_id", "step")
            yield " ".join(str(entry[name]) for name in names if name in entry)
        yield from frames(str(entry.get("exception", "")))
    elif found := LINE.match(line):
        if found["logger"] != NOT_KEPT:
            yield " ".join(found[name] for name in ("time", "level", "logger", "event") if found[name])
    elif FRAME.search(line):
        yield from frames(line)
    elif found := SUPERVISOR.search(line):
        yield found[1]


def as_entry(text: str) -> dict[str, object] | None:
    try:
        entry = json.loads(text)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) and {"level", "logger", "event"} <= entry.keys() else None


def frames(traceback: str) -> Iterator[str]:
    """Where it was raised. The message and the lines of code are left out, and so are directories of the machine."""
    for frame in FRAME.finditer(traceback):
        place = "/".join(frame["path"].split("/")[-3:])
        yield f"  {place}:{frame['line']} {frame['function']}"
