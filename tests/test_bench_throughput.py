"""The benchmark of request throughput: the reference API, wrk, and the table."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from bench.model_process import running_model
from bench.reference_api.server import running_reference_api
from bench.report import throughput_table
from bench.simulated_model import Speed
from bench.studio import running_studio
from bench.throughput import INSTANT, PATHS, Comparison, fill_databases
from bench.wrk import Throughput, measure_throughput
from tests.static_files import bring_static_files

QUICK = Speed(first=0.05, rate=2000, image=0.05, error=0)


@pytest.mark.timeout(300)  # it starts a whole studio
async def test_the_reference_api_answers_with_the_studios_fields_and_rows(tmp_path: Path) -> None:
    bring_static_files(tmp_path)
    database = tmp_path / "reference.sqlite3"
    async with running_model(INSTANT) as model, running_studio(model, tmp_path, workers=1) as studio:
        await fill_databases(studio, tmp_path, database)
        async with running_reference_api(database) as address:
            for path in PATHS.values():
                async with studio.api.get(path) as response:
                    expected = await response.json()
                async with studio.api.get(address + path) as response:
                    answer = await response.json()
                assert_same_fields(expected, answer)
                assert answer.get("content") == expected.get("content")
                assert answer.get("count") == expected.get("count")
            async with studio.api.get(address + path, headers={"Authorization": "Bearer wrong"}) as response:
                assert response.status == 401


def assert_same_fields(expected: Any, answer: Any) -> None:
    """The same keys at all depths; of a list the first item."""
    if isinstance(expected, dict):
        assert answer.keys() == expected.keys()
        for key, value in expected.items():
            assert_same_fields(value, answer[key])
    elif isinstance(expected, list) and expected:
        assert len(answer) == len(expected)
        assert_same_fields(expected[0], answer[0])


def fake_wrk(directory: Path, monkeypatch: pytest.MonkeyPatch, **figures: int) -> None:
    counts = {"requests": 3000, "duration": 2_000_000, "p50": 4000, "p99": 9500, "refused": 0, "broken": 0, **figures}
    program = directory / "wrk"
    program.write_text(f"#!/bin/sh\necho '{json.dumps(counts)}'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(directory), prepend=os.pathsep)


async def test_throughput_is_requests_a_second(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_wrk(tmp_path, monkeypatch)
    assert await measure_throughput("http://localhost/", {}) == Throughput(1500, p50=4.0, p99=9.5)


@pytest.mark.parametrize("fault", ["refused", "broken"])
async def test_errors_are_not_counted_as_throughput(
    fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_wrk(tmp_path, monkeypatch, **{fault: 1})
    with pytest.raises(RuntimeError, match=r"1 error responses|1 broken connections"):
        await measure_throughput("http://localhost/", {})


@pytest.mark.skipif(not shutil.which("wrk"), reason="wrk is not installed")
async def test_wrk_itself_reports_successes_and_errors() -> None:
    async with running_model(QUICK) as model:
        result = await measure_throughput(f"{model.base_url('any')}/models", {}, connections=2, seconds=1)
        assert result.requests_per_second > 10
        assert 0 < result.p50 <= result.p99
        with pytest.raises(RuntimeError, match="error responses"):
            await measure_throughput(f"{model.address}/missing", {}, connections=2, seconds=1)


def test_the_throughput_table_shows_medians_and_their_ratio() -> None:
    studio = [Throughput(rate, 10, 20) for rate in (90, 400, 100)]
    reference = [Throughput(rate, 5, 10) for rate in (200, 210, 190)]
    table = throughput_table([Comparison("status", 1, studio, reference)])
    assert "| status | 1 | 100 | 10.0 | 20.0 | 200 | 5.0 | 10.0 | 0.50 |" in table
