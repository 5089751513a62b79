"""The last lines of a studio in a terminal, in a file of limited size."""

from __future__ import annotations

from pathlib import Path

import pytest

from contentstudio.runtime import recent_log
from contentstudio.runtime.recent_log import RecentLog


def test_it_keeps_one_file_before_the_present_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recent_log, "MAX_BYTES", 100)
    log = RecentLog(tmp_path / "studio.log")
    for number in range(50):
        log.write(f"line {number}")
    log.close()
    kept = [path.read_text() for path in (tmp_path / "studio.log.1", tmp_path / "studio.log")]
    assert {path.name for path in tmp_path.iterdir()} == {"studio.log", "studio.log.1"}
    assert max(map(len, kept)) <= 100
    assert kept[1].endswith("Z line 49\n")


def test_a_line_that_cannot_be_written_is_in_the_terminal_only(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "studio.log").mkdir()
    RecentLog(tmp_path / "studio.log").write("a line")
    assert capsys.readouterr().err == ""
