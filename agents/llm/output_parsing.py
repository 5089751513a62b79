"""Cleans up what a model returned: reasoning, code fences, text around JSON, and overlaps of continued answers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

_INVALID = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")

# <think> and its like, [THINK], ◁think▷, and the channels of <|channel|>analysis<|message|>, of which "final" is the answer.
_REASONING_TAG = re.compile(
    r"(?<!`)(?:<(?P<closing>/?)(?:think(?:ing)?|thought|reasoning)>|\[(?P<closing2>/?)THINK\]|◁(?P<closing3>/?)think▷"
    r"|<\|channel\|>(?:(?P<final>final)|analysis|commentary)[^<>\n]{0,80}<\|message\|>)\s*",
    re.IGNORECASE,
)
_CHANNEL_END = re.compile(r"<\|(?:end|return)\|>(?:<\|start\|>\w{0,20})?")
_TAG_CHARACTERS = ("<", "[", "◁")
_PARTIAL_TAG = re.compile(
    r"(?:</?[a-z]{0,10}|\[/?(?:t(?:h(?:i(?:nk?)?)?)?)?|◁/?[a-z]{0,5}|<\|[a-z]*(?:\|(?:>[a-z ]*(?:<\|?[a-z]*\|?)?)?)?)\Z",
    re.IGNORECASE,
)

_FENCED = re.compile(r"\s*(`{3,}|~{3,})(\w*)[ \t]*\n(.*?)(?:\n\1\s*)?\Z", re.DOTALL)
_TEXT_LANGUAGES = {"", "markdown", "md", "text", "txt", "html"}

_BRACE_OR_STRING = re.compile(r'"(?:\\.|[^"\\])*"|[{}]', re.DOTALL)

MAX_OVERLAP = 4000
MIN_OVERLAP = 8  # characters; an overlap of four or more must consist of whole words
RESTART = 60  # identical characters at the beginning mean that the model has started over
_LAST_WORD = re.compile(r"(?<=\s)\S{1,40}\Z")


def valid_unicode(text: str) -> str:
    """The text as a database can store it: surrogate pairs joined, control characters and lone surrogates removed."""
    if not _INVALID.search(text):
        return text
    return _INVALID.sub("", text.encode("utf-16", "surrogatepass").decode("utf-16", "ignore"))


def without_reasoning(text: str) -> str:
    """The text without the reasoning of a model, whether its tags are closed, still open, or opened in the prompt.

    Tags in backticks belong to a text about them.
    """
    if not any(character in text for character in _TAG_CHARACTERS):
        return text
    kept, start, reasoning = list[str](), 0, False
    for tag in _REASONING_TAG.finditer(text):
        closes = any((tag["closing"], tag["closing2"], tag["closing3"], tag["final"]))
        if closes and not reasoning and _is_mentioned(text, tag):
            continue
        if not reasoning:
            kept.append(text[start : tag.start()])
        if closes and not reasoning:  # the opening tag was in the prompt, where some servers put it
            kept.clear()
        reasoning, start = not closes, tag.end()
    if not reasoning:
        kept.append(text[start:])
    return _CHANNEL_END.sub("", "".join(kept))


def _is_mentioned(text: str, tag: re.Match[str]) -> bool:
    """Whether a closing tag is a word of a sentence: inside a line and between spaces, which no model does."""
    before, after = text[: tag.start()].rpartition("\n")[2], text[tag.start() : tag.end()]
    return before[-1:] == " " and bool(before.strip()) and after[-1:] == " " and "\n" not in after


def without_partial_tag(text: str) -> str:
    """The text without an incomplete tag at its end, which may become one of reasoning."""
    return _PARTIAL_TAG.sub("", text) if any(character in text[-60:] for character in _TAG_CHARACTERS) else text


def unfenced(text: str) -> str:
    """Markdown without the code fence that some models put around all of it. A text that is code stays as it is."""
    found = _FENCED.match(text)
    if not found or found[2].lower() not in _TEXT_LANGUAGES:
        return text
    inside = re.findall(rf"^{found[1]}(\w*)", found[3], re.MULTILINE)
    if inside and (len(inside) % 2 or not inside[0]):  # the first of them ends the fence at the beginning of the text
        return text
    return found[3]


# JSON


def first_json_object(answer: str) -> dict[str, Any] | None:
    """The first JSON object in the answer, whatever surrounds it.

    Line breaks inside strings are accepted: they are the commonest mistake of small models.
    """
    for text in _balanced(without_reasoning(answer)):
        with suppress(ValueError, RecursionError):  # braces around something else, or thousands of them nested
            return {name: _valid(value) for name, value in json.loads(text, strict=False).items()}
    return None


def _valid(value: Any) -> Any:
    if isinstance(value, str):
        return valid_unicode(value)
    if isinstance(value, list):
        return [_valid(each) for each in value]
    if isinstance(value, dict):
        return {name: _valid(each) for name, each in value.items()}
    return value


def _balanced(text: str) -> Iterator[str]:
    """Each span from an opening brace to its closing one."""
    depth, start = 0, 0
    for found in _BRACE_OR_STRING.finditer(text, text.find("{")) if "{" in text else ():
        if found[0] == "{":
            depth, start = depth + 1, start if depth else found.start()
        elif found[0] == "}" and depth:
            depth -= 1
            if not depth:
                yield text[start : found.end()]


# A text in several answers


def without_last_word(text: str) -> str:
    """The text without its last word, which may be incomplete. A text without spaces is kept whole."""
    return _LAST_WORD.sub("", text)


def joined(text: str, continuation: str) -> str:
    """``text`` with its continuation. What the continuation repeats of it, its end or all of it, appears once."""
    head, tail = text.rstrip(), re.sub(r"\A\s*(?:…|\.{3})", "", continuation).lstrip()
    if not head or not tail:
        return head + tail if tail else text
    if len(head) >= RESTART and tail.startswith(head[:RESTART]):
        return max(text, continuation, key=len)
    if repeated := _overlap(head, tail):
        return head + tail[repeated:]
    gaps = text[len(head) :], continuation[: len(continuation) - len(continuation.lstrip())]
    return head + max(gaps, key=lambda gap: (gap.count("\n"), len(gap))) + tail


def _overlap(head: str, tail: str) -> int:
    """How many characters at the start of ``tail`` are at the end of ``head`` already."""
    head = head[-MAX_OVERLAP:]
    for found in re.finditer(re.escape(tail[:4]), head):
        end = head[found.start() :]
        within_words = head[: found.start()][-1:].isalnum() or tail[len(end) :][:1].isalnum()
        if tail.startswith(end) and (len(end) >= MIN_OVERLAP or not within_words):
            return len(end)
    return 0
