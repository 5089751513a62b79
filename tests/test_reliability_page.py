"""Each row of docs/reliability.md names an existing test."""

from __future__ import annotations

import re

from tests.environment import ROOT

PAGE = (ROOT / "docs" / "reliability.md").read_text()
NAMED = re.compile(r"`(test_\w+)`")


def test_each_test_it_names_exists() -> None:
    sources = "\n".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    assert [name for name in NAMED.findall(PAGE) if f"def {name}(" not in sources] == []


def test_each_row_names_a_test() -> None:
    tables = re.findall(r"^\|.*\| Test \|\n\|[-|]+\n((?:\|.*\n)+)", PAGE, re.MULTILINE)
    rows = [row for table in tables for row in table.splitlines()]
    assert len(rows) > 30
    assert [row for row in rows if not NAMED.search(row.split("|")[-2])] == []
