"""Documents that may take long are read in a process with limits of time and output."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time

import psutil
import pytest

from agents.exceptions import SourceUnreadable
from agents.research import documents, html, sandbox
from agents.research.documents import read_page
from agents.research.sandbox import run_sandboxed
from tests.agents.documents import FIRST, SECOND, fetched, made_pdf
from tests.agents.fixtures.loopback import page
from tests.environment import ROOT
from tests.waiting import wait_until


async def test_a_document_that_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "SECONDS", 0.01)
    with pytest.raises(SourceUnreadable, match="Split it"):
        await read_page(fetched("pdf", made_pdf(FIRST)))


async def test_a_program_is_stopped_when_its_time_is_up() -> None:
    begun = time.monotonic()
    with pytest.raises(TimeoutError):
        await run_sandboxed([sys.executable, "-c", "import time; time.sleep(30)"], b"", seconds=0.3, max_output=10)
    assert time.monotonic() - begun < 20


def test_a_program_ends_with_the_process_that_started_it() -> None:
    reader = [sys.executable, "-c", "import time; time.sleep(120)"]
    reading = f"run_sandboxed({reader}, b'', seconds=120, max_output=1)"
    job = f"import asyncio; from agents.research.sandbox import run_sandboxed; asyncio.run({reading})"
    started = subprocess.Popen([sys.executable, "-c", job], cwd=ROOT)
    wait_until(lambda: bool(psutil.Process(started.pid).children()))
    (program,) = psutil.Process(started.pid).children()
    started.kill()
    started.wait()
    wait_until(lambda: not program.is_running() or program.status() == psutil.STATUS_ZOMBIE, seconds=30)


async def test_a_program_that_writes_without_end_is_stopped(caplog: pytest.LogCaptureFixture) -> None:
    outcome = await run_sandboxed(["yes"], b"", seconds=10, max_output=1000)

    assert (len(outcome.output), outcome.code) == (1000, None)
    assert caplog.text == ""


async def test_a_program_is_stopped_although_nobody_has_read_its_output_for_a_while(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read = sandbox._read

    async def read_late(stdout: asyncio.StreamReader, max_output: int) -> bytes:
        await asyncio.sleep(0.3)  # asyncio's buffer is full by then, and it has stopped reading
        return await read(stdout, max_output)

    monkeypatch.setattr(sandbox, "_read", read_late)
    async with asyncio.timeout(30):
        outcome = await run_sandboxed(["yes"], b"", seconds=10, max_output=1000)

    assert (len(outcome.output), outcome.code) == (1000, None)


async def test_a_program_need_not_read_what_it_is_given() -> None:
    outcome = await run_sandboxed(
        [sys.executable, "-c", "print('done')"], bytes(5_000_000), seconds=10, max_output=1000
    )

    assert (outcome.output, outcome.code) == (b"done\n", 0)


def page_with_attributes(count: int) -> str:
    attributes = " ".join(f'a{number}="x"' for number in range(count))
    return page("Attributes", FIRST, SECOND).replace("<article>", f"<article {attributes}>")


@pytest.mark.parametrize(
    ("markup", "harmless"),
    [
        (page_with_attributes(100), True),
        (page_with_attributes(20_000), False),
        (f'<p x=">" {"a " * 20_000}>', False),
        (f"<p {'/a' * 20_000}>", False),
        ("<p>" * 20_001, False),
        ("<p>" + "word " * 1_000 + "</p>", True),
        ("<p>" + "x" * 1_600_000, False),
    ],
)
def test_only_pages_that_take_little_time_are_parsed_in_this_process(markup: str, harmless: bool) -> None:
    assert html.is_harmless(markup) is harmless


async def test_a_page_of_many_attributes_is_read_in_a_process_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "extract", None)  # not called
    found = await read_page(fetched("html", page_with_attributes(3_000).encode()))
    assert FIRST in found.text


async def test_a_page_that_takes_the_parser_minutes_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "SECONDS", 1.0)
    longest = 0.0

    async def watch_the_loop() -> None:
        nonlocal longest
        while True:
            began = time.perf_counter()
            await asyncio.sleep(0.01)
            longest = max(longest, time.perf_counter() - began)

    watching = asyncio.create_task(watch_the_loop())
    with pytest.raises(SourceUnreadable, match="could not be read within 1 second"):
        await read_page(fetched("html", page_with_attributes(100_000).encode()))
    watching.cancel()
    assert longest < 5, "the event loop stood still"
