"""Which parts of OpenAI's protocol a server understands, learned from what it refuses.

A call is first made in full. Where the server refuses it, the part that it names, or else the likeliest, is given up and the
call is made again. What a call had to give up before it was answered is remembered for the process, so that it costs a call once.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import openai
from pydantic import BaseModel

from agents.llm.errors import says_why
from agents.prompts import config

Message = dict[str, str]

# Each ladder from what is best to what every server understands; "" is without.
FORMS = ("json_schema", "json_object", "")
COUNTS = ("include_usage", "")
LIMITS = ("max_completion_tokens", "max_tokens", "")  # OpenAI's newer models refuse the second, older servers the first
TEMPERATURES = ("temperature", "")
SPELLED = ("", "spelled")  # whether the form stands in words among the messages, too

_NAMES = {
    "form": re.compile(r"response_format|json_schema|json_object|json mode|structured|grammar|guided"),
    "counts": re.compile(r"stream_options|include_usage"),
    "limit": re.compile(r"max_completion_tokens|max_tokens"),
    "temperature": re.compile(r"temperature"),
}
"""By what words a refusal names each part; in the order in which they are suspected where it names none."""

_REFUSALS = {400, 404, 422, 500, 501}
_MUST_BE_NAMED = {404, 500}  # which mostly mean something else


@dataclass(frozen=True)
class Question:
    """What a model is asked, in no dialect yet. ``schema`` is the form of the answer; None for text."""

    model: str
    messages: list[Message]
    schema: type[BaseModel] | None = None
    temperature: float | None = None
    max_tokens: int | None = None

    @property
    def characters(self) -> int:
        return sum(len(message["content"]) for message in self.messages)

    @property
    def size(self) -> int:
        """Bytes of the prompt in UTF-8, by which its tokens are reckoned: scripts differ less in these than in characters."""
        return sum(len(message["content"].encode()) for message in self.messages)


class ServerCapabilities(NamedTuple):
    """A rung of each ladder: 0 is the best."""

    form: int = 0
    counts: int = 0
    limit: int = 0
    temperature: int = 0
    spelled: int = 0

    def request(self, question: Question) -> dict[str, Any]:
        """``question`` as the body of ``POST /chat/completions``."""
        request: dict[str, Any] = {"model": question.model, "messages": question.messages, "stream": True}
        if COUNTS[self.counts]:
            request["stream_options"] = {"include_usage": True}
        if question.temperature is not None and TEMPERATURES[self.temperature]:
            request["temperature"] = question.temperature
        if question.max_tokens is not None and (name := LIMITS[self.limit]):
            request[name] = question.max_tokens
        if question.schema:
            self._shape(request, question.schema)
        return request

    def without_refused(self, error: openai.APIStatusError, question: Question) -> ServerCapabilities | None:
        """The next lesser dialect in which ``question`` may be understood; None where that would not help."""
        if error.status_code not in _REFUSALS or says_why(error):
            return None
        used = list(self._used(question))
        named = [part for part in used if _NAMES[part].search(error.response.text.lower())]
        suspected = named or (used if error.status_code not in _MUST_BE_NAMED else [])
        return self.less(suspected[0]) if suspected else None

    def less(self, part: str) -> ServerCapabilities:
        """One rung lower in ``part``; the last rung is its own lower one."""
        rungs = {"form": FORMS, "counts": COUNTS, "limit": LIMITS, "temperature": TEMPERATURES, "spelled": SPELLED}[
            part
        ]
        return self._replace(**{part: min(getattr(self, part) + 1, len(rungs) - 1)})

    def merged(self, other: ServerCapabilities) -> ServerCapabilities:
        """What both understand."""
        return ServerCapabilities(*map(max, self, other))

    def _used(self, question: Question) -> Iterator[str]:
        """The parts that a request for ``question`` makes use of, and that can be given up."""
        asked = {
            "form": question.schema is not None and FORMS[self.form],
            "counts": COUNTS[self.counts],
            "limit": question.max_tokens is not None and LIMITS[self.limit],
            "temperature": question.temperature is not None and TEMPERATURES[self.temperature],
        }
        return (part for part in _NAMES if asked[part])

    def _shape(self, request: dict[str, Any], schema: type[BaseModel]) -> None:
        """Ask for the form beside the messages or, where the server would not keep to it, among them."""
        if FORMS[self.form] == "json_schema":
            form = {"name": schema.__name__, "schema": strict_schema(schema), "strict": True}
            request["response_format"] = {"type": "json_schema", "json_schema": form}
            if not SPELLED[self.spelled]:
                return
        elif FORMS[self.form]:
            request["response_format"] = {"type": FORMS[self.form]}
        *before, last = request["messages"]
        words = config("boundary")["form"].format(schema=json.dumps(strict_schema(schema), ensure_ascii=False))
        request["messages"] = [*before, {**last, "content": f"{last['content']}\n\n{words}"}]


_known: dict[tuple[str, str], ServerCapabilities] = {}


def known(client: openai.AsyncOpenAI, model: str) -> ServerCapabilities:
    """What is known of how ``model`` is asked at this server; before its first call, that all is understood."""
    return _known.get((str(client.base_url), model), ServerCapabilities())


def remember(client: openai.AsyncOpenAI, model: str, dialect: ServerCapabilities) -> None:
    """Keep in mind what a call gave up. Calls side by side may each have learned something."""
    _known[str(client.base_url), model] = known(client, model).merged(dialect)


@cache
def strict_schema(model: type[BaseModel]) -> dict[str, Any]:
    """JSON Schema in the strict dialect: every property is required, and nothing is said of defaults and lengths of strings."""
    schema: dict[str, Any] = json.loads(json.dumps(model.model_json_schema()), object_hook=_strict)
    return schema


def _strict(node: dict[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in node.items() if key not in ("minLength", "maxLength", "default")}
    if isinstance(kept.get("properties"), dict):
        kept |= {"required": list(kept["properties"]), "additionalProperties": False}
    return kept
