"""A model server whose answers are written by a person or another program that watches a folder.

Each chat request is written to ``NNNN.request.json`` and, to be read, ``NNNN.request.md``. The answer is the text of
``NNNN.answer.txt``. So any writer can be compared where no model is available:

    python -m bench.judge relay --relay relay --port 9400
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import web

MODEL = "relay"
POLL_INTERVAL = 0.2
CHARACTERS_PER_TOKEN = 4
# What large providers serve from their caches: identical beginnings of a prompt, from 1,024 tokens, in blocks of 128.
CACHE_MINIMUM, CACHE_BLOCK = 1024, 128


class Relay:
    """``wait``: seconds until a request without an answer fails with status 504."""

    def __init__(self, folder: Path, wait: float) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.wait = folder, wait
        self.number = max((int(path.name[:4]) for path in folder.glob("[0-9]*.request.json")), default=0)
        self.waiting: dict[str, int] = {}
        self.answered: list[str] = []

    def application(self) -> web.Application:
        app = web.Application(client_max_size=64 * 2**20)
        app.add_routes([web.post("/v1/chat/completions", self.chat), web.get("/v1/models", self.models)])
        return app

    async def models(self, request: web.Request) -> web.Response:
        return web.json_response({"object": "list", "data": [{"id": MODEL, "object": "model", "created": 0}]})

    async def chat(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        number = self.write_request(body)
        try:
            answer = await self.read_answer(number)
        except TimeoutError:
            error = {"message": f"No answer to request {number:04} within {self.wait:.0f} s.", "type": "timeout"}
            return web.json_response({"error": error}, status=504)
        usage = self.usage(prompt_of(body), answer)
        envelope = {"id": f"relay-{number}", "created": int(time.time()), "model": body.get("model")}
        if body.get("stream"):
            return await stream(request, body, answer, envelope, usage)
        choice = {"index": 0, "message": {"role": "assistant", "content": answer}, "finish_reason": "stop"}
        return web.json_response({**envelope, "object": "chat.completion", "choices": [choice], "usage": usage})

    def write_request(self, body: dict[str, Any]) -> int:
        """The number of the request. A retry of one that still waits for its answer gets the same number."""
        key = json.dumps([body.get("messages"), body.get("response_format")])
        if key not in self.waiting:
            self.number += 1
            name = f"{self.number:04}"
            write_whole(self.folder / f"{name}.request.md", readable(body, name))
            write_whole(self.folder / f"{name}.request.json", json.dumps(body, indent=2, ensure_ascii=False))
            self.waiting[key] = self.number
        return self.waiting[key]

    async def read_answer(self, number: int) -> str:
        """Wait for the answer's file. It is complete once two looks at it find the same text."""
        path = self.folder / f"{number:04}.answer.txt"
        before: str | None = None
        async with asyncio.timeout(self.wait):
            while True:
                text = path.read_text(encoding="utf-8") if path.exists() else None
                if text and text == before:
                    self.waiting = {key: other for key, other in self.waiting.items() if other != number}
                    return text.strip()
                before = text
                await asyncio.sleep(POLL_INTERVAL)

    def usage(self, prompt: str, answer: str) -> dict[str, Any]:
        """Token counts by characters; ``cached_tokens`` by the longest beginning shared with an answered request."""
        tokens, output = tokens_of(prompt), tokens_of(answer)
        shared = max((shared_length(prompt, other) for other in self.answered), default=0)
        cached = shared // CHARACTERS_PER_TOKEN // CACHE_BLOCK * CACHE_BLOCK
        self.answered.append(prompt)
        details = {"cached_tokens": cached if cached >= CACHE_MINIMUM else 0}
        totals = {"prompt_tokens": tokens, "completion_tokens": output, "total_tokens": tokens + output}
        return {**totals, "prompt_tokens_details": details}


def shared_length(one: str, other: str) -> int:
    """The number of characters with which both begin."""
    for index, (left, right) in enumerate(zip(one, other, strict=False)):
        if left != right:
            return index
    return min(len(one), len(other))


def tokens_of(text: str) -> int:
    return max(1, len(text) // CHARACTERS_PER_TOKEN)


def prompt_of(body: dict[str, Any]) -> str:
    return "\n\n".join(text_of(message) for message in body.get("messages", []))


def text_of(message: dict[str, Any]) -> str:
    content = message.get("content") or ""
    return content if isinstance(content, str) else "\n".join(part.get("text", "") for part in content)


def readable(body: dict[str, Any], name: str) -> str:
    """The request as Markdown: messages, then the JSON Schema that the answer has to fit."""
    limit = body.get("max_completion_tokens") or body.get("max_tokens")
    lines = [f"# Request {name}", f"Write the answer to `{name}.answer.txt`."]
    if limit:
        lines.append(f"At most {limit} tokens.")
    lines += [f"## {message.get('role', 'user')}\n\n{text_of(message)}" for message in body.get("messages", [])]
    if response_format := body.get("response_format"):
        schema = (response_format.get("json_schema") or {}).get("schema", response_format)
        shown = json.dumps(schema, indent=2, ensure_ascii=False)
        lines.append(f"## The answer is JSON of this schema, and nothing else\n\n```json\n{shown}\n```")
    if tools := body.get("tools"):
        lines.append(f"## Tools\n\n```json\n{json.dumps(tools, indent=2, ensure_ascii=False)}\n```")
    return "\n\n".join(lines) + "\n"


def write_whole(path: Path, text: str) -> None:
    """Write under another name, then rename: whoever watches the folder never reads half a file."""
    temporary = path.with_name(f"{path.name}.tmp")
    temporary.write_text(text, encoding="utf-8")
    temporary.rename(path)


async def stream(
    request: web.Request, body: dict[str, Any], answer: str, envelope: dict[str, Any], usage: dict[str, Any]
) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)

    async def send(choices: list[dict[str, Any]], **more: Any) -> None:
        event = {**envelope, "object": "chat.completion.chunk", "choices": choices, **more}
        await response.write(f"data: {json.dumps(event)}\n\n".encode())

    await send([{"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None}])
    for piece in re.findall(r"\s*\S+\s*", answer):
        await send([{"index": 0, "delta": {"content": piece}, "finish_reason": None}])
    await send([{"index": 0, "delta": {}, "finish_reason": "stop"}])
    if (body.get("stream_options") or {}).get("include_usage"):
        await send([], usage=usage)
    await response.write(b"data: [DONE]\n\n")
    await response.write_eof()
    return response


@asynccontextmanager
async def running_relay(folder: Path, wait: float, port: int = 0) -> AsyncIterator[str]:
    """Serve on loopback inside the block; its base URL. Port 0 takes a free one."""
    runner = web.AppRunner(Relay(folder, wait).application(), access_log=None, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    finally:
        await runner.cleanup()
