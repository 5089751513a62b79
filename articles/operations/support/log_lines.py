"""The last lines of a log, reduced to what the studio itself wrote."""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import groupby

from articles.operations.support.redaction import Redactor

KEPT_LINES = 5000
LONGEST = 400  # characters of a line
KEPT_FRAMES = 12  # the innermost of a traceback

TIME = r"(?:\d{4}-\d\d-\d\d[T ][\d:.]+(?:Z|[+-]\d\d:?\d\d)?|[A-Z][a-z]{2} [ \d]\d [\d:]{8})"
LINE = re.compile(
    rf"^(?P<time>{TIME})?.*?(?P<level>DEBUG|INFO|WARNING|ERROR|CRITICAL) (?P<logger>[\w.]+): (?P<event>.*)$"
)
FRAME = re.compile(r'File "(?P<path>[^"]*)", line (?P<line>\d+), in (?P<function>[\w<>.]+)')
PROGRAM = r"(?:[\w-]+ +\| )?"
EXCEPTION = re.compile(
    rf"^(?:{TIME} )?{PROGRAM}(?P<name>[A-Za-z_][\w.]*(?:Error|Exception|Timeout|Failed|Lost|Gone))(?::|$)"
)
SUPERVISOR = re.compile(
    rf"({PROGRAM}(?:exited with code -?\d+|was killed by SIG\w+|could not be started)(?:; restarting in [\d.]+ s)?"
    r"|Stopping\.|Content Studio is ready)"
)
NOT_KEPT = "accounts.audit"
"""The logger whose lines are about people."""


def reduced(lines: Iterable[str], redactor: Redactor) -> Iterator[str]:
    """Structured lines, and places and names of exceptions. Anything else could be part of a text, and is left out."""
    kept = (part for line in deque(lines, KEPT_LINES) for part in parts_kept(line.rstrip("\n")))
    for is_frame, parts in groupby(kept, key=lambda part: part.startswith("  ")):
        for part in deque(parts, KEPT_FRAMES) if is_frame else parts:
            yield redactor.line(part)[:LONGEST]


def parts_kept(line: str) -> Iterator[str]:
    if (start := line.find("{")) >= 0 and (entry := as_entry(line[start:])):
        if entry.get("logger") != NOT_KEPT:
            names = ("time", "level", "logger", "event", "run_id", "step")
            yield " ".join(str(entry[name]) for name in names if name in entry)
        for traceback_line in str(entry.get("exception", "")).splitlines():
            yield from parts_of_traceback(traceback_line)
    elif found := LINE.match(line):
        if found["logger"] != NOT_KEPT:
            yield " ".join(found[name] for name in ("time", "level", "logger", "event") if found[name])
    elif found := SUPERVISOR.search(line):
        yield found[1]
    else:
        yield from parts_of_traceback(line)


def as_entry(text: str) -> dict[str, object] | None:
    try:
        entry = json.loads(text)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) and {"level", "logger", "event"} <= entry.keys() else None


def parts_of_traceback(line: str) -> Iterator[str]:
    """Where it was raised, and what. Messages and lines of code are left out, and so are directories of the machine."""
    if frame := FRAME.search(line):
        place = "/".join(frame["path"].split("/")[-3:])
        yield f"  {place}:{frame['line']} {frame['function']}"
    elif found := EXCEPTION.match(line):
        yield found["name"]
