"""A model server for tests: the OpenAI API over real HTTP, with meaningless texts and faults on demand.

with ModelServer() as server:
    server.fail(status=429, times=2, retry_after=0.1)      # the next two calls
    server.fail(match=prompts.WRITE, cut=0.5)              # a stream that breaks off half-way
    ... OPENAI_BASE_URL=server.url ...
    assert [call.task for call in server.calls] == [...]
"""

from __future__ import annotations

import asyncio
import base64
import json
import random
import re
import threading
import time
from dataclasses import dataclass, field
from typing import Any, Self

from aiohttp import web

from tests import prompts

VOCABULARY = "a city plans gardens on flat roofs where rain is held and summers are cooler for those who live below"
WORDS = VOCABULARY.split()
SENTENCE_WORDS = 12
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


BOUNDARY = re.compile(r"(?<=<<<)[0-9a-f]{8}\b|\b[0-9a-f]{8}(?=>>>)")
"""Marks of quoted material, random for each run: without them the same prompt has the same answer in every run."""


@dataclass
class Fault:
    """``times`` calls of ``path`` whose prompt contains ``match`` fail: refused, hung, cut, or answered with ``text``.

    ``stall`` is a silence half-way, in seconds, in which ``pings`` sends signs of life; ``raw`` is sent in the stream's place.
    """

    times: int = 1
    match: str = ""
    path: str = ""
    status: int = 0
    code: str = ""
    retry_after: float | None = None
    hang: float = 0
    cut: float | None = None
    text: str | None = None
    finish_reason: str = "stop"
    stall: float = 0
    pings: bool = False
    raw: bytes | None = None


@dataclass
class Call:
    path: str
    body: dict[str, Any]
    at: float = field(default_factory=time.monotonic)
    status: int = 0
    """The HTTP status; 499 if the client disconnected before the end."""
    ended: float = 0
    connection: object = None
    """The client's address; the same for calls over one connection."""

    @property
    def prompt(self) -> str:
        return "\n".join(str(message["content"]) for message in self.body.get("messages", []))


class ModelServer:
    """``token_seconds`` is the time of a word, ``first_seconds`` the time before the first.

    Prose cites passages of the prompt, at random; only those of ``cites``, such as S3, if there are any.

    ``choices`` are taken wherever an answer has to choose and offers one of them, such as "supported"; of numbers else the first.
    Prose comes out at a share of the length asked for that lies between the two of ``obedience``. Without ``counts`` no usage is
    reported.
    """

    host = "127.0.0.1"

    def __init__(self, *, token_seconds: float = 0.0, first_seconds: float = 0.0, image_seconds: float = 0.0) -> None:
        self.token_seconds, self.first_seconds, self.image_seconds = token_seconds, first_seconds, image_seconds
        self.calls: list[Call] = []
        self.faults: list[Fault] = []
        self.models = ["test-model", "test-image"]
        self.choices: set[str] = set()
        self.cites: set[str] = set()
        self.obedience: tuple[float, float] = (1.0, 1.0)
        self.refusals: dict[str, tuple[int, str]] = {}
        self.counts = True
        self.url = ""
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(10), "the model server did not start"
        return self

    def __exit__(self, *exc: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    def fail(self, **fault: Any) -> None:
        self.faults.append(Fault(**fault))

    def refuse(self, part: str, *, status: int = 400, said: str | None = None) -> None:
        """Refuse every chat that uses ``part``: a parameter of the request, or a type of ``response_format``."""
        self.refusals[part] = (status, f"Unsupported parameter: {part}" if said is None else said)

    def reset(self) -> None:
        self.calls.clear()
        self.faults.clear()
        self.choices.clear()
        self.cites.clear()
        self.obedience = (1.0, 1.0)
        self.refusals.clear()
        self.counts = True

    def prompts(self, part: str) -> list[str]:
        """The prompts that contain ``part``, in the order of their calls."""
        return [call.prompt for call in list(self.calls) if part in call.prompt]

    def _run(self) -> None:
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    async def _serve(self) -> None:
        app = web.Application(client_max_size=64 * 2**20)
        app.add_routes(
            [
                web.post("/v1/chat/completions", self._chat),
                web.post("/v1/images/generations", self._image),
                web.get("/v1/models", self._models),
            ]
        )
        runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.2, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, self.host, 0)
        await site.start()
        self.url = f"http://{self.host}:{runner.addresses[0][1]}/v1"
        self._ready.set()
        await self._stop.wait()
        await runner.cleanup()

    async def _models(self, request: web.Request) -> web.Response:
        return web.json_response({"object": "list", "data": [{"id": m, "object": "model"} for m in self.models]})

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        return await self._witnessed(request, self._answer)

    async def _image(self, request: web.Request) -> web.StreamResponse:
        return await self._witnessed(request, self._picture)

    async def _witnessed(self, request: web.Request, answer: Any) -> web.StreamResponse:
        peer = request.transport and request.transport.get_extra_info("peername")
        call = Call(request.path, await request.json(), status=499, connection=peer)
        self.calls.append(call)
        try:
            response: web.StreamResponse = await answer(request, call)
            call.status = response.status
            return response
        finally:
            call.ended = time.monotonic()

    def _fault(self, call: Call) -> Fault | None:
        text = call.prompt or str(call.body.get("prompt", ""))
        for fault in self.faults:
            if fault.times > 0 and fault.match in text and fault.path in call.path:
                fault.times -= 1
                return fault
        return None

    async def _picture(self, request: web.Request, call: Call) -> web.StreamResponse:
        if refusal := await self._refusal(self._fault(call)):
            return refusal
        await asyncio.sleep(self.image_seconds)
        return web.json_response({"created": 1, "data": [{"b64_json": base64.b64encode(PIXEL).decode()}]})

    async def _refusal(self, fault: Fault | None) -> web.Response | None:
        if fault and fault.hang:
            await asyncio.sleep(fault.hang)
        if not fault or not fault.status:
            return None
        error = {"message": f"scripted {fault.status}", "type": "scripted", "code": fault.code or None}
        headers = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
        return web.json_response({"error": error}, status=fault.status, headers=headers)

    def _refused_part(self, body: dict[str, Any]) -> web.Response | None:
        used = body.keys() | {(body.get("response_format") or {}).get("type")}
        for part, (status, said) in self.refusals.items():
            if part in used:
                return web.json_response({"error": {"message": said}}, status=status)
        return None

    async def _answer(self, request: web.Request, call: Call) -> web.StreamResponse:
        fault = self._fault(call)
        if refusal := await self._refusal(fault) or self._refused_part(call.body):
            return refusal
        text = fault.text if fault and fault.text is not None else Speech(self, call.body).answer()
        words = re.findall(r"\S+\s*", text)
        usage = {"prompt_tokens": len(call.prompt) // 4, "completion_tokens": len(words)}
        usage["total_tokens"] = sum(usage.values())
        ended = fault.finish_reason if fault else "stop"
        if not call.body.get("stream"):
            choice = {"index": 0, "finish_reason": ended, "message": {"role": "assistant", "content": text}}
            return web.json_response(envelope("chat.completion", [choice], usage=usage))
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await asyncio.sleep(self.first_seconds)
        if fault and fault.raw is not None:
            await response.write(fault.raw)
            return response
        for index, word in enumerate(words):
            if fault and fault.stall and index == len(words) // 2:
                await silence(response, fault)
            if fault and fault.cut is not None and index >= len(words) * fault.cut:
                assert request.transport
                request.transport.close()
                return response
            await send(response, [{"index": 0, "delta": {"content": word}, "finish_reason": None}])
            await asyncio.sleep(self.token_seconds)
        await send(response, [{"index": 0, "delta": {}, "finish_reason": ended}])
        if self.counts and (call.body.get("stream_options") or {}).get("include_usage"):
            await send(response, [], usage=usage)
        await response.write(b"data: [DONE]\n\n")
        return response


async def silence(response: web.StreamResponse, fault: Fault) -> None:
    until = time.monotonic() + fault.stall
    while time.monotonic() < until:
        if fault.pings:
            await response.write(b": still here\n\n")
        await asyncio.sleep(0.05)


async def send(response: web.StreamResponse, choices: list[dict[str, Any]], **more: Any) -> None:
    data = json.dumps(envelope("chat.completion.chunk", choices, **more))
    await response.write(f"data: {data}\n\n".encode())


def envelope(kind: str, choices: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    return {"id": "c1", "object": kind, "created": 1, "model": "test-model", "choices": choices, **more}


class Speech:
    """The answer to one prompt: prose of the requested length, or JSON that fits the requested schema.

    The same prompt gets the same answer.
    """

    def __init__(self, server: ModelServer, body: dict[str, Any]) -> None:
        self.server, self.body = server, body
        self.prompt = "\n".join(str(message["content"]) for message in body["messages"])
        self.chance = random.Random(BOUNDARY.sub("", self.prompt))
        marks = sorted(set(re.findall(r"^\[S\d+\]", self.prompt, re.MULTILINE)))
        self.marks = [mark for mark in marks if not server.cites or mark.strip("[]") in server.cites]

    def answer(self) -> str:
        if schema := self._schema():
            return json.dumps(self.value(schema, schema, ""))
        if prompts.WRITE in self.prompt or prompts.WRITE_ARTICLE in self.prompt:
            return self.draft()
        lengths = re.findall(r"([\d,]+) words", self.prompt)
        asked = int(lengths[-1].replace(",", "")) if lengths else 60
        return self.prose(round(asked * self.chance.uniform(*self.server.obedience)))

    def draft(self) -> str:
        """The sections that the task asks for, each below its heading; title and introduction if it asks for them."""
        outline, _, task = self.prompt.rpartition("YOUR TASK")
        outline = outline.rpartition("THE OUTLINE\n")[2]
        asked = re.search(r"about (\d+) words", task)
        assert asked
        words = round(int(asked[1]) * self.chance.uniform(*self.server.obedience))
        if prompts.WRITE_ARTICLE in task:
            headings = [f"## A part that is called number {number}" for number in ("one", "two", "three")]
            return self.laid_out(headings, words, title="An article of its own structure", opening=words // 11)
        planned = re.findall(r"^(\d+)\. ([^:\n]+)", outline, re.MULTILINE)
        if part := re.search(r"Write sections? (\d+)(?: to (\d+))? of the article", task):
            planned = planned[int(part[1]) - 1 : int(part[2] or part[1])]
        headings = [f"## {number}. {heading}" for number, heading in planned]
        opening = re.search(r"introduction of (\d+) words", task)
        title = re.search(r"^Working title: (.+)", outline, re.MULTILINE)
        if not opening or not title:
            return self.laid_out(headings, words)
        share = words / int(asked[1])
        return self.laid_out(headings, words, title=title[1], opening=round(int(opening[1]) * share))

    def laid_out(self, headings: list[str], words: int, *, title: str = "", opening: int = 0) -> str:
        above = [f"# {title}", self.prose(opening)] if title else []
        words -= opening
        sections = [f"{heading}\n\n{self.prose(round(words / len(headings)))}" for heading in headings]
        return "\n\n".join([*above, *(sections or [self.prose(words)])])

    def _schema(self) -> dict[str, Any] | None:
        """The requested schema, from ``response_format`` or the prompt."""
        form = self.body.get("response_format") or {}
        if form.get("type") == "json_schema":
            return dict(form["json_schema"]["schema"])
        found = re.search(r"JSON Schema:\n(\{.*\})$", self.prompt, re.MULTILINE)
        return dict(json.loads(found[1])) if found else None

    def prose(self, words: int, *, cites: bool = True) -> str:
        sentences = []
        while words > 0:
            length = min(words, self.chance.randint(8, 16))
            mark = f" {self.chance.choice(self.marks)}" if self.marks and cites else ""
            sentences.append(" ".join(self.chance.choices(WORDS, k=length)).capitalize() + f"{mark}.")
            words -= length
        return "\n\n".join(" ".join(sentences[at : at + 4]) for at in range(0, len(sentences), 4))

    def value(self, schema: dict[str, Any], root: dict[str, Any], name: str) -> Any:
        """A value that fits; an array has as many items as the prompt requests by its name ("6 sections")."""
        if "$ref" in schema:
            schema = root["$defs"][schema["$ref"].rpartition("/")[2]]
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            wanted = [choice for choice in schema["enum"] if str(choice) in self.server.choices]
            numbers = schema["enum"][:1] if schema.get("type") == "integer" else []
            return self.chance.choice(wanted or numbers or schema["enum"])
        if schema.get("type") == "object":
            return {key: self.value(each, root, key) for key, each in schema["properties"].items()}
        if schema.get("type") == "array":
            asked = re.findall(rf"(\d+) {re.escape(name)}\b", self.prompt) if name else []
            count = min(int(asked[-1]) if asked else 3, schema.get("maxItems", 30))
            return [self.value(schema["items"], root, name) for _ in range(count)]
        if schema.get("type") == "integer":
            return schema.get("minimum", 1)
        if schema.get("type") == "boolean":
            return False
        if name == "lead":
            low, high = map(int, re.findall(r"a lead of (\d+) to (\d+) words", self.prompt)[-1])
            return self.prose((low + high) // 2, cites=False)
        if name == "sources":
            return self.chance.choice(self.marks).strip("[]") if self.marks else "S1"
        count = SENTENCE_WORDS if name == "instead" else 7
        return " ".join(self.chance.choices(WORDS, k=count)).capitalize()
