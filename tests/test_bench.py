"""What the benchmark measures with: a model of known speed, the critical path of a log, a studio watched from outside."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import jsonschema
import openai
import psutil
import pytest
from pydantic import BaseModel, Field

from bench.answers import answer
from bench.crew import ready_crew
from bench.model import Model, simulated_model
from bench.path import critical_path, seconds
from bench.processes import own_memory, own_seconds, since
from bench.reference_api.server import running_reference_api
from bench.report import Results, Setup, throughput_table, write_report
from bench.runs import Article, Run
from bench.simulated_model import MODELS, Call, Speed
from bench.studio import running_studio
from bench.throughput import INSTANT, PATHS, Comparison, fill_databases
from bench.wrk import Throughput, measure_throughput
from tests.static_files import bring_static_files

QUICK = Speed(first=0.05, rate=2000, image=0.05, error=0)


def ask(prompt: str, **more) -> dict:
    return {"model": MODELS[0], "messages": [{"role": "user", "content": prompt}], **more}


def client_of(model: Model) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(base_url=model.base_url("ours"), api_key="none")


def form(shape: type[BaseModel]) -> dict:
    return {"type": "json_schema", "json_schema": {"name": "form", "schema": shape.model_json_schema()}}


# The critical path


def called(*spans: tuple[float, float]) -> list[Call]:
    return [Call("chat", start, end) for start, end in spans]


def test_the_critical_path_follows_what_had_to_wait():
    research, short, long, review = (0, 4), (4.1, 6), (4.1, 9), (9.2, 11)
    path = critical_path(called(short, review, research, long))
    assert [(call.start, call.end) for call in path] == [research, long, review]
    assert seconds(path) == pytest.approx(4 + 4.9 + 1.8)


def test_calls_side_by_side_are_one_step_of_the_path():
    assert seconds(critical_path(called((0, 3), (1, 6), (0.5, 4)))) == 5


def test_a_log_without_calls_has_no_path():
    assert critical_path([]) == []


# The simulated model


@pytest.mark.parametrize("words", [80, 1000])
def test_prose_is_as_long_as_the_last_length_asked_for(words):
    told = answer(ask(f"The article has 5,000 words. Write one section of {words:,} words."), error=0)
    assert len(told.split()) == words


def test_a_length_is_missed_by_no_more_than_the_error():
    lengths = [len(answer(ask(f"Attempt {number}: 200 words."), error=0.4).split()) for number in range(50)]
    assert 115 <= min(lengths) < 160
    assert 240 < max(lengths) <= 285


def test_only_passages_that_were_shown_are_cited():
    told = answer(ask("[S3]\n<<<\nRoofs hold rain.\n>>>\n\n[S7]\n<<<\nBeds weigh.\n>>>\n\nWrite 300 words."), error=0)
    assert {mark.strip(".") for mark in told.split() if mark.startswith("[")} == {"[S3]", "[S7]"}
    assert "[S" not in answer(ask("Write 300 words."), error=0)


def test_the_same_prompt_has_the_same_answer():
    assert answer(ask("Write 90 words."), error=0.3) == answer(ask("Write 90 words."), error=0.3)


class Remark(BaseModel):
    section: int = Field(ge=1, le=6)
    sources: list[str] = Field(max_length=3)


class Reviewed(BaseModel):
    title: str = Field(description="30 to 60 characters")
    remarks: list[Remark]
    aside: str | None


def test_json_fits_the_schema_and_the_counts_of_the_prompt():
    prompt = "[S2]\n<<<\nRoofs.\n>>>\nGive a title and exactly 4 remarks."
    told = json.loads(answer(ask(prompt, response_format=form(Reviewed)), error=0))
    jsonschema.validate(told, Reviewed.model_json_schema())
    assert len(told["remarks"]) == 4
    assert all(source == "S2" for remark in told["remarks"] for source in remark["sources"])
    assert 30 <= len(told["title"]) <= 60


async def test_it_speaks_the_protocol_of_openais_client():
    async with simulated_model(QUICK) as model:
        async with client_of(model) as client:
            request = ask("Write 60 words.", stream_options={"include_usage": True})
            chunks = [chunk async for chunk in await client.chat.completions.create(stream=True, **request)]
            whole = await client.chat.completions.create(**ask("Write 60 words."))
            picture = await client.images.generate(model=MODELS[1], prompt="A roof.")
        calls, others = await model.calls("ours"), await model.calls("theirs")
    said = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert said == whole.choices[0].message.content
    assert chunks[-1].usage.completion_tokens == whole.usage.completion_tokens == 80
    assert picture.data[0].b64_json
    assert [call.kind for call in calls] == ["chat", "chat", "image"]
    assert others == []


async def test_it_stops_at_the_limit_and_says_so():
    async with simulated_model(QUICK) as model, client_of(model) as client:
        told = await client.chat.completions.create(**ask("Write 600 words.", max_tokens=40))
    assert told.choices[0].finish_reason == "length"
    assert told.usage.completion_tokens == 40


async def test_an_answer_takes_as_long_as_its_speed_says():
    async with simulated_model(Speed(first=0.3, rate=200, error=0)) as model:
        async with client_of(model) as client:
            stream = await client.chat.completions.create(stream=True, **ask("Write 90 words."))
            assert len([chunk async for chunk in stream]) == 92  # a word each, one that opens and one that ends
        [call] = await model.calls("ours")
    assert 0.9 <= call.end - call.start < 5  # 0.3 s, and 120 tokens at 200 a second; more where the machine is busy


# What a run costs


def test_cpu_and_memory_are_read_from_the_process_itself():
    script = "held = bytearray(60 * 2**20); held[::4096] = b'x' * len(held[::4096]); sum(range(20_000_000)); print(); input()"
    process = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout
    process.stdout.readline()
    itself = psutil.Process(process.pid)
    assert 60 < own_memory(itself) < 90
    assert own_seconds(itself) > 0.1
    process.communicate(b"\n")
    assert own_memory(itself) == 0


def test_what_was_spent_before_is_not_counted():
    assert since({"web": 1.5}, {"web": 2.0, "jobs": 3.0}) == {"web": 0.5, "jobs": 3.0}


@pytest.mark.timeout(300)  # it starts a whole studio
async def test_a_studio_is_measured_from_brief_to_end(tmp_path):
    bring_static_files(tmp_path)
    async with simulated_model(QUICK) as model, running_studio(model, tmp_path, workers=2) as studio:
        run = await studio.measure(300, 2)
    assert [article.error for article in run.articles] == ["", ""]
    assert run.completed == 2
    assert run.score > 90
    assert {"jobs", "web", "workers", "redis", "supervisor"} <= run.cpu.keys()
    assert run.cpu["jobs"] > 0.1
    assert 10 < run.memory < 200
    assert 0 < run.path < run.wall
    assert len(run.latencies) > 20
    assert all(0 < late < 5 for late in run.latencies)


@pytest.mark.timeout(300)  # CrewAI alone takes seconds to import
async def test_the_crew_it_is_compared_with_writes_a_whole_article_each_time(tmp_path):
    async with simulated_model(QUICK) as model, ready_crew(model, tmp_path, 300, 2) as crew:
        first, second = await crew.measure(), await crew.measure()
    for run in (first, second):
        assert [article.error for article in run.articles] == ["", ""]
        assert run.score > 90
        assert len(run.calls) == 2 * 7
        assert 0 < run.cpu_seconds < 60


# Request throughput


@pytest.mark.timeout(300)  # it starts a whole studio
async def test_the_reference_api_answers_with_the_studios_fields_and_rows(tmp_path):
    bring_static_files(tmp_path)
    database = tmp_path / "reference.sqlite3"
    async with simulated_model(INSTANT) as model, running_studio(model, tmp_path, workers=1) as studio:
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


def assert_same_fields(expected, answer):
    """The same keys at all depths; of a list the first item."""
    if isinstance(expected, dict):
        assert answer.keys() == expected.keys()
        for key, value in expected.items():
            assert_same_fields(value, answer[key])
    elif isinstance(expected, list) and expected:
        assert len(answer) == len(expected)
        assert_same_fields(expected[0], answer[0])


def fake_wrk(directory: Path, monkeypatch, **figures: int) -> None:
    counts = {"requests": 3000, "duration": 2_000_000, "p50": 4000, "p99": 9500, "refused": 0, "broken": 0, **figures}
    program = directory / "wrk"
    program.write_text(f"#!/bin/sh\necho '{json.dumps(counts)}'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(directory), prepend=os.pathsep)


async def test_throughput_is_requests_a_second(tmp_path, monkeypatch):
    fake_wrk(tmp_path, monkeypatch)
    assert await measure_throughput("http://localhost/", {}) == Throughput(1500, p50=4.0, p99=9.5)


@pytest.mark.parametrize("fault", ["refused", "broken"])
async def test_errors_are_not_counted_as_throughput(fault, tmp_path, monkeypatch):
    fake_wrk(tmp_path, monkeypatch, **{fault: 1})
    with pytest.raises(RuntimeError, match=r"1 error responses|1 broken connections"):
        await measure_throughput("http://localhost/", {})


@pytest.mark.skipif(not shutil.which("wrk"), reason="wrk is not installed")
async def test_wrk_itself_reports_successes_and_errors():
    async with simulated_model(QUICK) as model:
        result = await measure_throughput(f"{model.base_url('ours')}/models", {}, connections=2, seconds=1)
        assert result.requests_per_second > 10
        assert 0 < result.p50 <= result.p99
        with pytest.raises(RuntimeError, match="error responses"):
            await measure_throughput(f"{model.address}/missing", {}, connections=2, seconds=1)


def test_the_throughput_table_shows_medians_and_their_ratio():
    studio = [Throughput(rate, 10, 20) for rate in (90, 400, 100)]
    reference = [Throughput(rate, 5, 10) for rate in (200, 210, 190)]
    table = throughput_table([Comparison("status", 1, studio, reference)])
    assert "| status | 1 | 100 | 10.0 | 20.0 | 200 | 5.0 | 10.0 | 0.50 |" in table


# The table


def run_of(words: int, wall: float, *, at_once: int = 1, content: str = "word " * 990, error: str = "") -> Run:
    articles = [Article(content, error)] * at_once
    return Run(words, wall, called((0, wall - 1)), {"jobs": 1.25, "web": 0.25}, 33.0, articles, [0.004, 0.006])


def results(studio: dict, crew: dict) -> Results:
    return Results(defaultdict(list, studio), defaultdict(list, crew))


def test_the_table_holds_the_medians_and_how_much_faster(tmp_path):
    studio = {(1000, 1): [run_of(1000, wall) for wall in (20, 90, 22)], (1000, 20): [run_of(1000, 30, at_once=20)]}
    crew = {(1000, 1): [run_of(1000, 66)], (1000, 20): [run_of(1000, 75, at_once=20, content="", error="Refused.")]}
    write_report(results(studio, crew), Setup("make bench", QUICK, workers=20), tmp_path / "table.md")
    told = (tmp_path / "table.md").read_text()
    assert "| 1,000 | 1 | **studio** | 22.0 | 21.0 | 1.00 |" in told
    assert "*3.0 × faster*" in told
    assert "0 of 20" in told
    assert "- sequential crew, 1,000 words, 20 at once: Refused." in told
    assert "$" not in told


def test_every_row_of_a_table_has_its_columns(tmp_path):
    runs = {(1000, 1): [run_of(1000, 20)]}
    write_report(results(runs, runs), Setup("make bench", QUICK, workers=20), tmp_path / "table.md")
    lines = (tmp_path / "table.md").read_text().splitlines()
    widths = [line.count("|") for line in lines if line.startswith("|")]
    assert widths == [16] * 5 + [9] * 3 + [6] * 3 + [10] * 2
