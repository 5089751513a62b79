"""The benchmark: the simulated model, the critical path, the figures of a run, and the report."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import jsonschema
import openai
import psutil
import pytest
from pydantic import BaseModel, Field

from agents.prompts import config
from agents.text.draft_sections import headings_of, numbered, opening_of
from agents.text.headings import TITLE
from bench.answers import answer
from bench.crew import running_crew
from bench.critical_path import critical_path, total_seconds
from bench.model_process import ModelServer, running_model
from bench.processes import count_web_processes, cpu_seconds, difference, unique_memory
from bench.report import Case, Conditions, Results, write_report
from bench.runs import Article, Run
from bench.simulated_model import MODELS, Call, Speed
from bench.studio import running_studio
from bench.watchers import Latencies, PageWatcher, Watcher
from tests.static_files import bring_static_files

QUICK = Speed(first=0.05, rate=2000, image=0.05, error=0)


def request(prompt: str, **more: Any) -> dict[str, Any]:
    return {"model": MODELS[0], "messages": [{"role": "user", "content": prompt}], **more}


def openai_client(model: ModelServer) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(base_url=model.base_url("studio"), api_key="none")


def response_format(schema: type[BaseModel]) -> dict[str, Any]:
    return {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema.model_json_schema()}}


# The critical path


def calls_at(*spans: tuple[float, float]) -> list[Call]:
    return [Call("chat", start, end) for start, end in spans]


def test_the_critical_path_is_the_chain_of_calls_that_could_not_overlap() -> None:
    research, short, long, review = (0, 4), (4.1, 6), (4.1, 9), (9.2, 11)
    path = critical_path(calls_at(short, review, research, long))
    assert [(call.start, call.end) for call in path] == [research, long, review]
    assert total_seconds(path) == pytest.approx(4 + 4.9 + 1.8)


def test_concurrent_calls_count_once_in_the_critical_path() -> None:
    assert total_seconds(critical_path(calls_at((0, 3), (1, 6), (0.5, 4)))) == 5


def test_an_empty_log_has_no_critical_path() -> None:
    assert critical_path([]) == []


# The simulated model


@pytest.mark.parametrize("words", [80, 1000])
def test_prose_has_the_last_length_in_the_prompt(words: int) -> None:
    text = answer(request(f"The article has 5,000 words. Write one section of {words:,} words."), error=0)
    assert len(text.split()) == words


def test_lengths_are_missed_by_at_most_the_error() -> None:
    lengths = [len(answer(request(f"Attempt {number}: 200 words."), error=0.4).split()) for number in range(50)]
    assert 115 <= min(lengths) < 160
    assert 240 < max(lengths) <= 285


def test_only_passages_of_the_prompt_are_cited() -> None:
    text = answer(
        request("[S3]\n<<<\nRoofs hold rain.\n>>>\n\n[S7]\n<<<\nBeds weigh.\n>>>\n\nWrite 300 words."), error=0
    )
    assert {mark.strip(".") for mark in text.split() if mark.startswith("[")} == {"[S3]", "[S7]"}
    assert "[S" not in answer(request("Write 300 words."), error=0)


def test_an_article_without_an_outline_has_a_structure_of_its_own() -> None:
    task = str(config("tasks")["write_article"]["description"]) + "Expected: about 1000 words"
    text = numbered(answer(request(task), error=0))
    assert TITLE.low <= len(opening_of(text)[0]) <= TITLE.high
    assert len(headings_of(text)) == 4
    assert len(text.split()) == pytest.approx(1000, rel=0.1)


def test_the_same_prompt_has_the_same_answer() -> None:
    assert answer(request("Write 90 words."), error=0.3) == answer(request("Write 90 words."), error=0.3)


def test_the_boundary_of_a_run_does_not_change_the_answer() -> None:
    prompts = [f"<<<{mark}\nRoofs.\n{mark}>>>\nWrite 90 words." for mark in ("0123abcd", "ffff0000")]
    assert len({answer(request(prompt), error=0.3) for prompt in prompts}) == 1


class Comment(BaseModel):
    section: int = Field(ge=1, le=6)
    sources: list[str] = Field(max_length=3)


class Review(BaseModel):
    title: str = Field(description="30 to 60 characters")
    comments: list[Comment]
    aside: str | None


def test_json_fits_the_schema_and_the_counts_of_the_prompt() -> None:
    prompt = "[S2]\n<<<\nRoofs.\n>>>\nGive a title and exactly 4 comments."
    answered = json.loads(answer(request(prompt, response_format=response_format(Review)), error=0))
    jsonschema.validate(answered, Review.model_json_schema())
    assert len(answered["comments"]) == 4
    assert all(source == "S2" for comment in answered["comments"] for source in comment["sources"])
    assert 30 <= len(answered["title"]) <= 60


async def test_openais_client_can_use_it() -> None:
    async with running_model(QUICK) as model:
        async with openai_client(model) as client:
            body = request("Write 60 words.", stream_options={"include_usage": True})
            chunks = [chunk async for chunk in await client.chat.completions.create(stream=True, **body)]
            whole = await client.chat.completions.create(**request("Write 60 words."))
            image = await client.images.generate(model=MODELS[1], prompt="A roof.")
        calls, others = await model.take_calls("studio"), await model.take_calls("crew")
    streamed = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert streamed == whole.choices[0].message.content
    assert chunks[-1].usage.completion_tokens == whole.usage.completion_tokens == 80
    assert image.data
    assert image.data[0].b64_json
    assert [call.kind for call in calls] == ["chat", "chat", "image"]
    assert others == []


async def test_it_stops_at_the_token_limit() -> None:
    async with running_model(QUICK) as model, openai_client(model) as client:
        completion = await client.chat.completions.create(**request("Write 600 words.", max_tokens=40))
    assert completion.choices[0].finish_reason == "length"
    assert completion.usage.completion_tokens == 40


async def test_an_answer_takes_as_long_as_the_configured_speed() -> None:
    async with running_model(Speed(first=0.3, rate=200, error=0)) as model:
        async with openai_client(model) as client:
            stream = await client.chat.completions.create(stream=True, **request("Write 90 words."))
            assert len([chunk async for chunk in stream]) == 92  # one per word, plus the first and the last one
        [call] = await model.take_calls("studio")
    assert 0.9 <= call.end - call.start < 5  # 0.3 s plus 120 tokens at 200 per second; more on a busy machine


# Measured runs


def test_cpu_and_memory_are_read_from_the_process_itself() -> None:
    script = "held = bytearray(60 * 2**20); held[::4096] = b'x' * len(held[::4096]); sum(range(20_000_000)); print(); input()"
    process = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout
    process.stdout.readline()
    statistics = psutil.Process(process.pid)
    assert 60 < unique_memory(statistics) < 90
    assert cpu_seconds(statistics) > 0.1
    process.communicate(b"\n")
    assert unique_memory(statistics) == 0


WEB = [sys.executable, "-c", "import time; print(flush=True); time.sleep(60)", "daphne"]
TWO_WEB = f"import subprocess, sys; [subprocess.Popen({WEB}) for _ in range(2)]; sys.stdin.read()"


def test_processes_that_serve_http_are_counted_but_not_the_one_that_started_them() -> None:
    command = [sys.executable, "-c", TWO_WEB, "daphne"]
    started = f"import subprocess, sys; subprocess.run({command!r}, stdin=sys.stdin)"
    supervisor = subprocess.Popen([sys.executable, "-c", started], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert supervisor.stdout
    try:
        supervisor.stdout.readline(), supervisor.stdout.readline()
        assert count_web_processes(supervisor.pid) == 2
    finally:
        for process in psutil.Process(supervisor.pid).children(recursive=True):
            process.kill()
        supervisor.communicate()


def test_cpu_time_from_before_the_run_is_not_counted() -> None:
    assert difference({"web": 1.5}, {"web": 2.0, "jobs": 3.0}) == {"web": 0.5, "jobs": 3.0}


def test_a_page_shows_an_event_completely_with_the_number_of_its_state() -> None:
    row = '<tr class="is-completed" data-event="{}">'
    first = f'<table>{row.format(7)}{row.format(8)}</table><p>&lt;tr data-event="9"&gt; <div id="seq" data-seq="9"></p>'
    watcher = PageWatcher(None, 1)  # type: ignore[arg-type]  # it sends nothing here
    assert watcher.newest_events(first, {}) == (8, 0)
    assert watcher.newest_events(f'<div id="seq" data-seq="8" hidden></div>{first}', {}) == (8, 8)
    assert watcher.newest_events('{"type": "alive"}', {"type": "alive"}) == (0, 0)


@pytest.mark.timeout(300)  # it starts a whole studio
async def test_a_studio_is_measured_over_both_sockets(tmp_path: Path) -> None:
    bring_static_files(tmp_path)
    async with running_model(QUICK) as model, running_studio(model, tmp_path, workers=2) as studio:
        for watcher in (Watcher, PageWatcher):
            run = await studio.measure(300, 2, watcher)
            assert [article.error for article in run.articles] == ["", ""]
            assert run.completed == 2
            assert run.length_score > 90
            assert {"jobs", "web", "workers", "redis", "supervisor"} <= run.cpu.keys()
            assert run.cpu["jobs"] > 0.1
            assert 10 < run.memory < 200
            assert 0 < run.critical_path_seconds < run.wall
            assert len(run.latencies.arrivals) > 20
            assert len(run.latencies.complete) == len(run.latencies.arrivals)
            assert all(0 < latency < 5 for latency in run.latencies.complete)


@pytest.mark.timeout(300)  # importing CrewAI takes seconds
async def test_the_sequential_crew_writes_a_complete_article_in_each_run(tmp_path: Path) -> None:
    async with running_model(QUICK) as model, running_crew(model, tmp_path, 300, 2) as crew:
        first, second = await crew.measure(), await crew.measure()
    for run in (first, second):
        assert [article.error for article in run.articles] == ["", ""]
        assert run.length_score > 90
        assert len(run.calls) == 2 * 7
        assert 0 < run.cpu_seconds < 60


# The report

Cases = dict[Case, list[Run]]


def run_of(words: int, wall: float, *, at_once: int = 1, content: str = "word " * 990, error: str = "") -> Run:
    articles = [Article(content, error)] * at_once
    latencies = Latencies([0.004, 0.006], [0.004, 0.008])
    return Run(words, wall, calls_at((0, wall - 1)), {"jobs": 1.25, "web": 0.25}, 33.0, articles, latencies)


def results(studio: Cases, crew: Cases, pages: Cases | None = None) -> Results:
    return Results(defaultdict(list, studio), defaultdict(list, pages or {}), defaultdict(list, crew))


def test_the_report_shows_medians_and_the_speedup(tmp_path: Path) -> None:
    studio = {(1000, 1): [run_of(1000, wall) for wall in (20, 90, 22)], (1000, 20): [run_of(1000, 30, at_once=20)]}
    crew = {(1000, 1): [run_of(1000, 66)], (1000, 20): [run_of(1000, 75, at_once=20, content="", error="Refused.")]}
    pages = {(1000, 1): [run_of(1000, 20)]}
    write_report(results(studio, crew, pages), Conditions("make bench", QUICK, workers=20), tmp_path / "table.md")
    report = (tmp_path / "table.md").read_text()
    assert "| 1,000 | 1 | **studio** | 22.0 | 21.0 | 1.00 |" in report
    assert "*3.0 × faster*" in report
    assert "0 of 20" in report
    assert "- sequential crew, 1,000 words, 20 at once: Refused." in report
    assert "| 1,000 | 1 | JSON | 6 | 5.0 | 6.0 |  | 0.25 |" in report
    assert "| 1,000 | 1 | page | 2 | 5.0 | 6.0 | 8.0 | 0.25 |" in report
    assert "$" not in report


def test_every_table_row_has_all_columns(tmp_path: Path) -> None:
    runs = {(1000, 1): [run_of(1000, 20)]}
    write_report(results(runs, runs, runs), Conditions("make bench", QUICK, workers=20), tmp_path / "table.md")
    lines = (tmp_path / "table.md").read_text().splitlines()
    widths = [line.count("|") for line in lines if line.startswith("|")]
    assert widths == [16] * 5 + [9] * 7 + [10] * 2
