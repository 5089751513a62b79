"""Shows structured answers as plain text while they are generated: a finding or a heading per line."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Iterator

from agents.llm.preview import PreviewSink

_STRING = r'"((?:[^"\\]|\\.)*)"'


def json_preview(sink: PreviewSink, names: tuple[str, ...]) -> PreviewSink:
    """Shows the complete strings of the fields ``names`` of the JSON that arrives, one per line."""
    pattern = re.compile(rf'"(?:{"|".join(names)})"\s*:\s*{_STRING}')
    return text_preview(sink, lambda text: "\n".join(_strings(pattern, text)))


def _strings(pattern: re.Pattern[str], text: str) -> Iterator[str]:
    for found in pattern.finditer(text):
        try:
            yield " ".join(str(json.loads(f'"{found[1]}"', strict=False)).split())
        except ValueError:  # an escape the model got wrong; the whole answer is parsed later
            continue


def first_string(sink: PreviewSink, name: str, found: asyncio.Future[str]) -> PreviewSink:
    """Passes everything on to ``sink``, and sets ``found`` once the string of field ``name`` is complete."""
    pattern, received = re.compile(rf'"{name}"\s*:\s*{_STRING}'), ""

    async def show(offset: int, text: str) -> None:
        nonlocal received
        if not found.done():
            received = received[:offset] + text
            for value in _strings(pattern, received):
                found.set_result(value)
                break
        await sink(offset, text)

    return show


def text_preview(sink: PreviewSink, shown: Callable[[str], str]) -> PreviewSink:
    """Passes on ``shown`` of the text that has arrived, whenever that changes."""
    received, sent = "", ""

    async def show(offset: int, text: str) -> None:
        nonlocal received, sent
        received = received[:offset] + text
        now = shown(received)
        if now == sent:
            return
        start = len(sent) if now.startswith(sent) else 0
        sent = now
        await sink(start, now[start:])

    return show
