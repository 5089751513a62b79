"""Limits the length of the Python files of the project, tests included."""

from __future__ import annotations

from tests.environment import ROOT

MAX_LINES = 350


def test_no_python_file_is_too_long() -> None:
    files = [*ROOT.glob("*.py"), *ROOT.glob("[!.]*/**/*.py")]
    lengths = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in files}
    assert len(lengths) > 500, "the files were not found"
    assert {name: lines for name, lines in lengths.items() if lines > MAX_LINES} == {}
