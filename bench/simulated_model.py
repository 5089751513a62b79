"""A model server of known speed with an OpenAI-compatible API: streams, JSON schemas, token limits, usage and images.

Every answer takes the same time to its first token and has the same token rate. So the least time an article can take is
known, and everything above it is the studio's own. Prints its address:

    python -m bench.simulated_model --first 0.3 --rate 60 --image 3 --error 0.15

Calls under ``/NAME/v1`` are logged under that name: ``GET /NAME/calls`` lists them, ``DELETE /NAME/calls`` clears the log.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import re
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from aiohttp import web

from bench.answers import answer

TOKENS_PER_WORD = 4 / 3
CHARACTERS_PER_TOKEN = 4
MODELS = ("simulated-text", "simulated-image")
# A PNG of one pixel.
IMAGE = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


@dataclass(frozen=True)
class Speed:
    """``first`` and ``image`` in seconds, ``rate`` in tokens per second; ``error``: by what share a length may be missed."""

    first: float = 0.3
    rate: float = 60.0
    image: float = 3.0
    error: float = 0.15

    def options(self) -> list[str]:
        """The command line options that set it."""
        return [f"--{name}={value}" for name, value in asdict(self).items()]


@dataclass
class Call:
    """One call; ``start`` and ``end`` in seconds of the monotonic clock, which all processes of a machine share."""

    kind: str
    start: float
    end: float = 0.0
    prompt_tokens: int = 0
    completion_tokens: int = 0


class SimulatedModel:
    def __init__(self, speed: Speed) -> None:
        self.speed = speed
        self.calls: dict[str, list[Call]] = defaultdict(list)
        self.numbers = itertools.count(1)

    def application(self) -> web.Application:
        app = web.Application(client_max_size=64 * 2**20)
        app.add_routes(
            [
                web.post("/{name}/v1/chat/completions", self.chat),
                web.post("/{name}/v1/images/generations", self.image),
                web.get("/{name}/v1/models", self.models),
                web.get("/{name}/calls", self.list_calls),
                web.delete("/{name}/calls", self.clear_calls),
            ]
        )
        return app

    @contextmanager
    def logged(self, request: web.Request, kind: str) -> Iterator[Call]:
        """Log the call at the end of the block, also if it fails."""
        call = Call(kind, time.monotonic())
        try:
            yield call
        finally:
            call.end = time.monotonic()
            self.calls[request.match_info["name"]].append(call)

    async def chat(self, request: web.Request) -> web.StreamResponse:
        with self.logged(request, "chat") as call:
            body = await request.json()
            words, finish_reason = truncate(re.findall(r"\S+\s*", answer(body, self.speed.error)), body)
            call.prompt_tokens = len(json.dumps(body["messages"])) // CHARACTERS_PER_TOKEN
            call.completion_tokens = round(len(words) * TOKENS_PER_WORD)
            if body.get("stream"):
                return await self.stream(request, body, words, finish_reason, call)
            await asyncio.sleep(self.speed.first + call.completion_tokens / self.speed.rate)
            message = {"role": "assistant", "content": "".join(words)}
            choice = {"index": 0, "message": message, "finish_reason": finish_reason}
            return web.json_response(self.envelope("chat.completion", body, [choice], usage=usage_of(call)))

    async def stream(
        self, request: web.Request, body: dict[str, Any], words: list[str], finish_reason: str, call: Call
    ) -> web.StreamResponse:
        """Send each word when it is due; words that are overdue follow at once."""
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        envelope = self.envelope("chat.completion.chunk", body, [])

        async def send(delta: dict[str, str], finish_reason: str | None = None) -> None:
            choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
            await write_event(response, envelope | {"choices": [choice]})

        await asyncio.sleep(self.speed.first)
        start = time.monotonic()
        await send({"role": "assistant", "content": ""})
        for number, word in enumerate(words, 1):
            due = start + number * TOKENS_PER_WORD / self.speed.rate
            if (wait := due - time.monotonic()) > 0:
                await asyncio.sleep(wait)
            await send({"content": word})
        await send({}, finish_reason)
        if (body.get("stream_options") or {}).get("include_usage"):
            await write_event(response, envelope | {"usage": usage_of(call)})
        await response.write(b"data: [DONE]\n\n")
        await response.write_eof()
        return response

    def envelope(self, kind: str, body: dict[str, Any], choices: list[Any], **more: Any) -> dict[str, Any]:
        number, model = next(self.numbers), body.get("model")
        return {
            "id": f"call-{number}",
            "object": kind,
            "created": int(time.time()),
            "model": model,
            "choices": choices,
            **more,
        }

    async def image(self, request: web.Request) -> web.Response:
        with self.logged(request, "image"):
            await asyncio.sleep(self.speed.image)
            return web.json_response({"created": int(time.time()), "data": [{"b64_json": IMAGE}]})

    async def models(self, request: web.Request) -> web.Response:
        listed = [{"id": name, "object": "model", "created": 0, "owned_by": "bench"} for name in MODELS]
        return web.json_response({"object": "list", "data": listed})

    async def list_calls(self, request: web.Request) -> web.Response:
        return web.json_response([asdict(call) for call in self.calls[request.match_info["name"]]])

    async def clear_calls(self, request: web.Request) -> web.Response:
        self.calls.pop(request.match_info["name"], None)
        return web.Response(status=204)


def truncate(words: list[str], body: dict[str, Any]) -> tuple[list[str], str]:
    """The words that fit into ``max_tokens``, and the ``finish_reason``."""
    limit = body.get("max_completion_tokens") or body.get("max_tokens")
    allowed = max(1, int(limit / TOKENS_PER_WORD)) if limit else len(words)
    return words[:allowed], "length" if len(words) > allowed else "stop"


def usage_of(call: Call) -> dict[str, int]:
    return {
        "prompt_tokens": call.prompt_tokens,
        "completion_tokens": call.completion_tokens,
        "total_tokens": call.prompt_tokens + call.completion_tokens,
    }


async def write_event(response: web.StreamResponse, content: dict[str, Any]) -> None:
    await response.write(f"data: {json.dumps(content)}\n\n".encode())


async def serve(speed: Speed) -> None:
    """Print the address of a free port and serve there until the process is ended."""
    runner = web.AppRunner(SimulatedModel(speed).application(), handler_cancellation=True, shutdown_timeout=0.2)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(f"http://127.0.0.1:{runner.addresses[0][1]}", flush=True)
    await asyncio.Event().wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=Speed.__doc__)
    for name, value in asdict(Speed()).items():
        parser.add_argument(f"--{name}", type=float, default=value, help="(%(default)s)")
    asyncio.run(serve(Speed(**vars(parser.parse_args()))))


if __name__ == "__main__":
    main()
