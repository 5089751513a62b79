"""Streamed texts: reasoning, continuations, and the preview of the draft."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field

import openai
import pytest

from agents.crew.llm import StudioLLM
from agents.exceptions import ModelError
from agents.llm.chat import MAX_CONTINUATIONS, ChatModel
from agents.llm.output_parsing import (
    first_json_object,
    joined,
    unfenced,
    without_last_word,
    without_partial_tag,
    without_reasoning,
)
from tests.model_client import client_of
from tests.model_server import ModelServer


@pytest.fixture
def llm(model_client: openai.AsyncOpenAI, slots: asyncio.Semaphore) -> StudioLLM:
    return StudioLLM(model="test-model", client=model_client, slots=slots)


@dataclass
class Watcher:
    """The text a page shows from the preview messages."""

    shown: str = ""
    states: list[str] = field(default_factory=list)

    async def sink(self, offset: int, text: str) -> None:
        assert offset <= len(self.shown), "a gap"
        self.shown = self.shown[:offset] + text
        self.states.append(self.shown)


@pytest.fixture
def watcher() -> Watcher:
    return Watcher()


@pytest.fixture
def slow_server() -> Iterator[ModelServer]:
    with ModelServer(token_seconds=0.02) as server:
        yield server


async def watched(server: ModelServer, watcher: Watcher) -> str:
    """The answer of ``server``, with its preview sent to ``watcher``."""
    async with client_of(server.url) as client:
        chat = ChatModel("m", client, asyncio.Semaphore(1))
        return await chat.text([{"role": "user", "content": "Say something."}], watcher.sink)


# Reasoning


@pytest.mark.parametrize(
    "said",
    [
        "<think>They want it short.</think>A short text.",
        "<thinking>\nThey want it short.\n</thinking>\n\nA short text.",
        "They want it short.\n</think>\n\nA short text.",
        "A short text.\n<think>Was that short enough? Perhaps",
        "```markdown\nA short text.\n```",
    ],
)
async def test_reasoning_and_fences_are_removed_from_the_text(
    llm: StudioLLM, model_server: ModelServer, said: str
) -> None:
    model_server.fail(text=said)
    assert await llm.acall("Say something.") == "A short text."


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("<think>a</think>b", "b"),
        ("<think>a", ""),
        ("b", "b"),
        ("a <think>\nx\n</think> b", "a b"),
        ("<THINK>a</THINK>b", "b"),
        ("a</think>b<think>c</think>d", "bd"),
        ("Models put it into `<think>` and `</think>`.", "Models put it into `<think>` and `</think>`."),
        ("<thinker>a</thinker>", "<thinker>a</thinker>"),
    ],
)
def test_reasoning_is_removed(said: str, meant: str) -> None:
    assert without_reasoning(said) == meant


def test_many_unclosed_reasoning_tags_are_parsed_in_linear_time() -> None:
    assert without_reasoning("<think>" * 70_000) == ""


def test_a_partial_tag_is_held_back() -> None:
    assert without_partial_tag("A text. </thi") == "A text. "
    assert without_partial_tag("3 < 4") == "3 < 4"


@pytest.mark.parametrize(
    "text",
    [
        "```python\nprint(1)\n```",
        "Some text.\n\n```\ncode\n```",
        "```\na\n```\n\nText between.\n\n```\nb\n```",
    ],
)
def test_code_in_a_text_keeps_its_fence(text: str) -> None:
    assert unfenced(text) == text


def test_json_strings_are_made_valid() -> None:
    assert first_json_object('{"a": "x\\u0000y\\ud83d\\ude00\\ud83d", "b": ["\\u0007"]}') == {"a": "xy😀", "b": [""]}
    assert first_json_object('{"a": "two\nlines"}') == {"a": "two\nlines"}
    assert first_json_object('{"a": ' * 50_000 + "1" + "}" * 50_000) is None
    assert first_json_object("none") is None


# Texts that are cut off


async def test_a_text_that_was_cut_off_is_continued(llm: StudioLLM, model_server: ModelServer) -> None:
    model_server.fail(text="Roofs are warm. Gardens cool the", finish_reason="length")
    model_server.fail(text="the rooms bel", finish_reason="length")
    model_server.fail(text="below them.")
    assert await llm.acall("Say something.") == "Roofs are warm. Gardens cool the rooms below them."
    *_, said, instruction = model_server.calls[1].body["messages"]
    assert said == {"role": "assistant", "content": "Roofs are warm. Gardens cool"}
    assert "exactly where you stopped" in instruction["content"]


async def test_a_text_that_never_ends_is_not_returned(llm: StudioLLM, model_server: ModelServer) -> None:
    model_server.fail(text="and so on and", finish_reason="length", times=99)
    with pytest.raises(ModelError, match=r"cut off at the token limit") as caught:
        await llm.acall("Say something.")
    assert caught.value.permanent
    assert len(model_server.calls) == 1 + MAX_CONTINUATIONS


async def test_a_model_whose_reasoning_took_all_tokens_gets_a_higher_limit(
    llm: StudioLLM, model_server: ModelServer
) -> None:
    model_server.fail(text="<think>Well, well", finish_reason="length")
    model_server.fail(text="<think>Well, well.</think>A short text.")
    assert await llm.acall("Say something.") == "A short text."
    first, second = (call.body for call in model_server.calls)
    assert (first["messages"], "max_completion_tokens" in first) == (second["messages"], False)
    assert second["max_completion_tokens"] >= 4096


@pytest.mark.parametrize(
    ("said", "more", "whole"),
    [
        ("One two ", "three.", "One two three."),
        ("One two ", " three.", "One two three."),
        ("One two ", "\n\nThree.", "One two\n\nThree."),
        ("One.\n\n", "Two.", "One.\n\nTwo."),
        ("", "\n\nOne.", "One."),
        ("One two ", "", "One two "),
        ("One two ", "…three.", "One two three."),
        ("It is where ", "where rain is held.", "It is where rain is held."),
        ("The rain is held on roofs ", "is held on roofs and below.", "The rain is held on roofs and below."),
        ("The rain is held. ", "The rain is held.", "The rain is held."),
        ("He had had ", "had enough.", "He had had had enough."),
        ("屋顶花园可以", "以保持雨水。", "屋顶花园可以以保持雨水。"),
        ("Say them. They grow, as does ", "them.", "Say them. They grow, as does them."),
    ],
)
def test_continuations_are_joined(said: str, more: str, whole: str) -> None:
    assert joined(said, more) == whole


def test_a_model_that_starts_over_is_not_repeated() -> None:
    beginning = "A sentence that is long enough to be distinguished from any other one here. "
    assert joined(beginning, beginning + "And its end.") == beginning + "And its end."


def test_an_incomplete_word_is_removed() -> None:
    assert without_last_word("Gardens cool the roo") == "Gardens cool the "
    assert without_last_word("屋顶花园" * 20) == "屋顶花园" * 20


def test_joining_a_hostile_text_is_fast() -> None:
    assert joined("x " + "a" * 400_000, "a" * 3_000 + "b").endswith("ab")


# The draft


async def test_the_preview_grows_with_the_text(slow_server: ModelServer, watcher: Watcher) -> None:
    slow_server.fail(text="<think>Hm, hm, hm, hm, hm.</think>" + "word " * 40 + "end.")
    answer = await watched(slow_server, watcher)
    assert watcher.shown == answer
    assert len(watcher.states) > 3
    assert not any("Hm" in state or "<" in state for state in watcher.states)


async def test_the_preview_of_a_continued_text_is_one_text(slow_server: ModelServer, watcher: Watcher) -> None:
    first = "The first piece has a few words and then it is cut right in the mid"
    slow_server.fail(text=first, finish_reason="length")
    slow_server.fail(text="in the middle of a word, as they are, before it comes to its end.")
    answer = await watched(slow_server, watcher)
    assert answer.endswith("cut right in the middle of a word, as they are, before it comes to its end.")
    assert watcher.shown == answer
    assert all(first.startswith(state[: len(first) // 2]) for state in watcher.states)


async def test_the_preview_of_another_attempt_starts_over(slow_server: ModelServer, watcher: Watcher) -> None:
    slow_server.fail(text="A try that breaks off after a while, and is never finished.", cut=0.8)
    slow_server.fail(text="Another.")
    assert await watched(slow_server, watcher) == "Another."
    assert watcher.shown == "Another."
    assert any(state.startswith("A try") for state in watcher.states)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("<thought>x</thought>A", "A"),
        ("<reasoning>x</reasoning>A", "A"),
        ("[THINK]x[/THINK]A", "A"),
        ("◁think▷x◁/think▷A", "A"),
        ("<|channel|>analysis<|message|>x<|end|><|start|>assistant<|channel|>final<|message|>A<|return|>", "A"),
        ("Use the tag </think> to end.", "Use the tag </think> to end."),
    ],
)
def test_reasoning_tags_of_every_kind_are_removed(said: str, meant: str) -> None:
    assert without_reasoning(said) == meant


@pytest.mark.parametrize("half", ["[/THI", "◁thi", "<|channel|>analys", "</reasonin"])
def test_partial_tags_of_every_kind_are_held_back(half: str) -> None:
    assert without_partial_tag(f"A text. {half}") == "A text. "
