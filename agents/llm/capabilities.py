"""What a model server supports of OpenAI's protocol, learned from the requests it rejects.

A request is first sent with every parameter. If the server rejects it, the parameter its message names, or else the likeliest, is
downgraded and the request is sent again. What worked is remembered for the process, so that each server pays for it once.
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

from agents.llm.errors import is_not_about_parameters
from agents.prompts import config

Message = dict[str, str]

# The alternatives of each parameter, from the best to what every server understands; "" leaves the parameter out.
RESPONSE_FORMATS = ("json_schema", "json_object", "")
USAGE_OPTIONS = ("include_usage", "")
TOKEN_LIMITS = (
    "max_completion_tokens",
    "max_tokens",
    "",
)  # OpenAI's newer models reject the second, older servers the first
TEMPERATURES = ("temperature", "")
SCHEMA_PLACES = ("", "prompt")  # whether the schema is also written into the prompt

ALTERNATIVES = {
    "response_format": RESPONSE_FORMATS,
    "usage": USAGE_OPTIONS,
    "token_limit": TOKEN_LIMITS,
    "temperature": TEMPERATURES,
    "schema_in_prompt": SCHEMA_PLACES,
}

NAMED_BY = {
    "response_format": re.compile(r"response_format|json_schema|json_object|json mode|structured|grammar|guided"),
    "usage": re.compile(r"stream_options|include_usage"),
    "token_limit": re.compile(r"max_completion_tokens|max_tokens"),
    "temperature": re.compile(r"temperature"),
}
"""How an error message names each parameter. If it names none, they are tried in this order."""

REJECTIONS = {400, 404, 422, 500, 501}
USUALLY_SOMETHING_ELSE = {404, 500}  # a rejected parameter only if the message names it


@dataclass(frozen=True)
class ChatRequest:
    """What to send to a model, before it is fitted to a server. The answer is text unless ``schema`` is given."""

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
        """Bytes of the prompt in UTF-8. Tokens are estimated from these: scripts differ less in bytes than in characters."""
        return sum(len(message["content"].encode()) for message in self.messages)


class ServerCapabilities(NamedTuple):
    """For each parameter the index of the alternative to use; 0 is the best one."""

    response_format: int = 0
    usage: int = 0
    token_limit: int = 0
    temperature: int = 0
    schema_in_prompt: int = 0

    def body(self, request: ChatRequest) -> dict[str, Any]:
        """``request`` as the body of ``POST /chat/completions``."""
        body: dict[str, Any] = {"model": request.model, "messages": request.messages, "stream": True}
        if USAGE_OPTIONS[self.usage]:
            body["stream_options"] = {"include_usage": True}
        if request.temperature is not None and TEMPERATURES[self.temperature]:
            body["temperature"] = request.temperature
        if request.max_tokens is not None and (name := TOKEN_LIMITS[self.token_limit]):
            body[name] = request.max_tokens
        if request.schema:
            self._add_schema(body, request.schema)
        return body

    def after_rejection(self, error: openai.APIStatusError, request: ChatRequest) -> ServerCapabilities | None:
        """The capabilities to try next, or None if sending ``request`` with fewer parameters would not help."""
        if error.status_code not in REJECTIONS or is_not_about_parameters(error):
            return None
        used = list(self._used_by(request))
        message = error.response.text.lower()
        suspects = [name for name in used if NAMED_BY[name].search(message)]
        if not suspects and error.status_code not in USUALLY_SOMETHING_ELSE:
            suspects = used
        return self.downgrade(suspects[0]) if suspects else None

    def downgrade(self, parameter: str) -> ServerCapabilities:
        """The next alternative of ``parameter``, or the last one."""
        lowest = len(ALTERNATIVES[parameter]) - 1
        return self._replace(**{parameter: min(getattr(self, parameter) + 1, lowest)})

    def combined(self, other: ServerCapabilities) -> ServerCapabilities:
        """What is supported according to both."""
        return ServerCapabilities(*map(max, self, other))

    def _used_by(self, request: ChatRequest) -> Iterator[str]:
        """The parameters that ``request`` is sent with and that can be downgraded."""
        used = {
            "response_format": request.schema is not None and RESPONSE_FORMATS[self.response_format],
            "usage": USAGE_OPTIONS[self.usage],
            "token_limit": request.max_tokens is not None and TOKEN_LIMITS[self.token_limit],
            "temperature": request.temperature is not None and TEMPERATURES[self.temperature],
        }
        return (name for name in NAMED_BY if used[name])

    def _add_schema(self, body: dict[str, Any], schema: type[BaseModel]) -> None:
        """Ask for the schema by ``response_format`` and, if the server does not enforce that, in the prompt."""
        if RESPONSE_FORMATS[self.response_format] == "json_schema":
            definition = {"name": schema.__name__, "schema": strict_schema(schema), "strict": True}
            body["response_format"] = {"type": "json_schema", "json_schema": definition}
            if not SCHEMA_PLACES[self.schema_in_prompt]:
                return
        elif RESPONSE_FORMATS[self.response_format]:
            body["response_format"] = {"type": RESPONSE_FORMATS[self.response_format]}
        *before, last = body["messages"]
        words = config("conversation")["form"].format(schema=json.dumps(strict_schema(schema), ensure_ascii=False))
        body["messages"] = [*before, {**last, "content": f"{last['content']}\n\n{words}"}]


_known: dict[tuple[str, str], ServerCapabilities] = {}


def capabilities_of(client: openai.AsyncOpenAI, model: str) -> ServerCapabilities:
    """What is known of ``model`` at this server. Before its first call, that it supports everything."""
    return _known.get((str(client.base_url), model), ServerCapabilities())


def remember_capabilities(client: openai.AsyncOpenAI, model: str, capabilities: ServerCapabilities) -> None:
    """Add to what is known of ``model``. Concurrent calls may each have learned something."""
    _known[str(client.base_url), model] = capabilities_of(client, model).combined(capabilities)


@cache
def strict_schema(model: type[BaseModel]) -> dict[str, Any]:
    """JSON Schema as strict mode demands it: every property required, no defaults, no lengths of strings."""
    schema: dict[str, Any] = json.loads(json.dumps(model.model_json_schema()), object_hook=_strict)
    return schema


def _strict(node: dict[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in node.items() if key not in ("minLength", "maxLength", "default")}
    if isinstance(kept.get("properties"), dict):
        kept |= {"required": list(kept["properties"]), "additionalProperties": False}
    return kept
