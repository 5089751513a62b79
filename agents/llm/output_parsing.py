"""What a model said, freed of what is not the answer: its thoughts, fences, words around JSON, what it says twice."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

_UNFIT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")

# <think> and its like, [THINK], ◁think▷, and the channels of <|channel|>analysis<|message|>, of which "final" is the answer.
_TAG = re.compile(
    r"(?<!`)(?:<(?P<closing>/?)(?:think(?:ing)?|thought|reasoning)>|\[(?P<closing2>/?)THINK\]|◁(?P<closing3>/?)think▷"
    r"|<\|channel\|>(?:(?P<final>final)|analysis|commentary)[^<>\n]{0,80}<\|message\|>)\s*",
    re.IGNORECASE,
)
_ENDED_CHANNEL = re.compile(r"<\|(?:end|return)\|>(?:<\|start\|>\w{0,20})?")
_SIGNS_OF_TAGS = ("<", "[", "◁")
_HALF_TAG = re.compile(
    r"(?:</?[a-z]{0,10}|\[/?(?:t(?:h(?:i(?:nk?)?)?)?)?|◁/?[a-z]{0,5}|<\|[a-z]*(?:\|(?:>[a-z ]*(?:<\|?[a-z]*\|?)?)?)?)\Z",
    re.IGNORECASE,
)

_FENCED = re.compile(r"\s*(`{3,}|~{3,})(\w*)[ \t]*\n(.*?)(?:\n\1\s*)?\Z", re.DOTALL)
_WRAPPERS = {"", "markdown", "md", "text", "txt", "html"}

_BRACE_OR_STRING = re.compile(r'"(?:\\.|[^"\\])*"|[{}]', re.DOTALL)

LONGEST_OVERLAP = 4000
SHORTEST_OVERLAP = 8  # characters; one of four or more has to be whole words
ANEW = 60  # characters alike at the beginning: the model has begun again
_LAST_WORD = re.compile(r"(?<=\s)\S{1,40}\Z")


def fit(text: str) -> str:
    """The text with what a store can keep: halves of characters put together, control characters and lone halves dropped."""
    if not _UNFIT.search(text):
        return text
    return _UNFIT.sub("", text.encode("utf-16", "surrogatepass").decode("utf-16", "ignore"))


def without_thoughts(text: str) -> str:
    """The text without what a reasoning model says to itself: closed, still open, or begun before the answer was.

    Tags in backticks are part of a text that tells of them.
    """
    if not any(sign in text for sign in _SIGNS_OF_TAGS):
        return text
    kept, since, thinking = list[str](), 0, False
    for tag in _TAG.finditer(text):
        closes = any((tag["closing"], tag["closing2"], tag["closing3"], tag["final"]))
        if closes and not thinking and _is_told_of(text, tag):
            continue
        if not thinking:
            kept.append(text[since : tag.start()])
        if closes and not thinking:  # the tag that began these thoughts was in the prompt, as some servers put it
            kept.clear()
        thinking, since = not closes, tag.end()
    if not thinking:
        kept.append(text[since:])
    return _ENDED_CHANNEL.sub("", "".join(kept))


def _is_told_of(text: str, tag: re.Match[str]) -> bool:
    """Whether a closing tag is a word of the text's own: amid a line, between spaces, as no model sets it."""
    before, after = text[: tag.start()].rpartition("\n")[2], text[tag.start() : tag.end()]
    return before[-1:] == " " and bool(before.strip()) and after[-1:] == " " and "\n" not in after


def without_half_tag(text: str) -> str:
    """The text without a tag at its end that has not come whole, and may be one of thoughts."""
    return _HALF_TAG.sub("", text) if any(sign in text[-60:] for sign in _SIGNS_OF_TAGS) else text


def unfenced(text: str) -> str:
    """Markdown out of the code fence some models put around all of it. A text that is code stays as it is."""
    found = _FENCED.match(text)
    if not found or found[2].lower() not in _WRAPPERS:
        return text
    inside = re.findall(rf"^{found[1]}(\w*)", found[3], re.MULTILINE)
    if inside and (len(inside) % 2 or not inside[0]):  # the first of them ends the fence that the text begins with
        return text
    return found[3]


# JSON


def object_in(answer: str) -> dict[str, Any] | None:
    """The first JSON object in the answer, whatever stands around it; None where there is none.

    Line breaks inside strings are let pass: they are what small models most often get wrong.
    """
    for text in _balanced(without_thoughts(answer)):
        with suppress(ValueError, RecursionError):  # braces that hold something else, or thousands in each other
            return {name: _fit(value) for name, value in json.loads(text, strict=False).items()}
    return None


def _fit(value: Any) -> Any:
    if isinstance(value, str):
        return fit(value)
    if isinstance(value, list):
        return [_fit(each) for each in value]
    if isinstance(value, dict):
        return {name: _fit(each) for name, each in value.items()}
    return value


def _balanced(text: str) -> Iterator[str]:
    """The stretches from an opening brace to the one that closes it, one after the other."""
    depth, start = 0, 0
    for found in _BRACE_OR_STRING.finditer(text, text.find("{")) if "{" in text else ():
        if found[0] == "{":
            depth, start = depth + 1, start if depth else found.start()
        elif found[0] == "}" and depth:
            depth -= 1
            if not depth:
                yield text[start : found.end()]


# A text in several answers


def until_last_word(text: str) -> str:
    """The text without its last word, of which only a half may have been said. Without spaces to tell words, all of it."""
    return _LAST_WORD.sub("", text)


def joined(said: str, more: str) -> str:
    """``said`` with what goes on from there. What ``more`` repeats of it, its end or all, is there once."""
    head, tail = said.rstrip(), re.sub(r"\A\s*(?:…|\.{3})", "", more).lstrip()
    if not head or not tail:
        return head + tail if tail else said
    if len(head) >= ANEW and tail.startswith(head[:ANEW]):
        return max(said, more, key=len)
    if repeated := _overlap(head, tail):
        return head + tail[repeated:]
    gaps = said[len(head) :], more[: len(more) - len(more.lstrip())]
    return head + max(gaps, key=lambda gap: (gap.count("\n"), len(gap))) + tail


def _overlap(head: str, tail: str) -> int:
    """How many characters of ``tail`` stand at the end of ``head`` already."""
    head = head[-LONGEST_OVERLAP:]
    for found in re.finditer(re.escape(tail[:4]), head):
        end = head[found.start() :]
        within_words = head[: found.start()][-1:].isalnum() or tail[len(end) :][:1].isalnum()
        if tail.startswith(end) and (len(end) >= SHORTEST_OVERLAP or not within_words):
            return len(end)
    return 0
