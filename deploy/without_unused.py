"""Prints a lock file without the packages that another file lists: ``without_unused.py requirements.lock unused-packages.txt``.

Runs before anything is installed: only the standard library is imported.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

PACKAGE = re.compile(r"^([A-Za-z0-9][\w.-]*)==")


def without(lock: str, unused: set[str]) -> str:
    """``lock`` without the entries of ``unused``. Raises ValueError if one of them is not in it."""
    kept, found, skipping = [], set(), False
    for line in lock.splitlines(keepends=True):
        if match := PACKAGE.match(line):
            skipping = match[1] in unused
            found |= {match[1]} & unused
        if not skipping:
            kept.append(line)
    if missing := sorted(unused - found):
        raise ValueError(f"not in the lock file: {', '.join(missing)}")
    return "".join(kept)


def names_in(text: str) -> set[str]:
    return {line for line in text.splitlines() if line and not line.startswith("#")}


if __name__ == "__main__":
    sys.stdout.write(without(Path(sys.argv[1]).read_text(), names_in(Path(sys.argv[2]).read_text())))
