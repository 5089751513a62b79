"""One model behind ``POST {base_url}/chat/completions``, for any server that speaks OpenAI's protocol.

Four layers, each with one job: ``text`` and ``in_form`` see that the answer is whole and fits; ``_tried`` is the only layer that
tries again; ``once`` finds the dialect the server understands; ``_call`` makes a call, streams it and counts what it cost.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import httpx
import openai
from django.conf import settings
from pydantic import BaseModel, ValidationError

from agents.costs.budget import answer_limit, charge, reserved_cost
from agents.exceptions import FailureCode, ModelError
from agents.llm.capabilities import Message, Question, ServerCapabilities, known, remember
from agents.llm.completion import StreamedCompletion
from agents.llm.errors import Fault, diagnose
from agents.llm.output_parsing import joined, object_in, unfenced, until_last_word, without_half_tag, without_thoughts
from agents.llm.preview import DraftPreview, draft_sink
from agents.llm.stream import chunks
from agents.prompts import config

log = logging.getLogger(__name__)

Form = TypeVar("Form", bound=BaseModel)
Watch = Callable[[StreamedCompletion], Awaitable[None]]

TRIES = 6
CONTINUATIONS = 4
REPAIRS = 2
"""Two, not one: a long article asks for some seventy answers in form. Of a model that gets one in ten wrong, one repair
would fail every second article, two every fifteenth."""

GARBLED = 4
"""Answers without any JSON are a fault of the moment more often than a misunderstanding: they are worth more tries."""

WIDE = 4096  # tokens; what an answer that was cut may take at least when it is asked for again
LONGEST_QUOTE = 4000  # characters of a bad answer that are shown to the model again


@dataclass(frozen=True)
class Endpoint:
    """``slots`` limits the calls in flight, ``max_tokens`` the length of an answer; None leaves a thing to the server.

    Raises ModelError, with a reason for a person, where a model failed for good, ProviderUnavailable where it may answer later,
    and SpendingLimitReached.
    """

    model: str
    client: openai.AsyncOpenAI
    slots: asyncio.Semaphore
    temperature: float | None = None
    max_tokens: int | None = None
    tries: int = TRIES

    async def text(self, messages: list[Message]) -> str:
        """The whole text, shown to ``draft_sink`` as it comes. What was cut off at a limit of tokens is gone on with."""
        draft, whole, question = DraftPreview(draft_sink.get()), "", self.question(messages)
        for _ in range(CONTINUATIONS + 1):

            async def watch(said: StreamedCompletion, before: str = whole) -> None:
                if draft.due:
                    await draft.show(unfenced(joined(before, without_half_tag(without_thoughts(said.text)))).strip())

            said = await self._tried(question, watch)
            more = without_thoughts(said.text)
            whole = joined(whole, more)
            if said.ended != "length":
                break
            if more.strip():
                whole = until_last_word(whole)
                question = replace(question, messages=gone_on_with(messages, whole))
            else:  # all the tokens went into thoughts
                question = self._wider(question, said)
        else:
            raise self._cut_short(f"after {CONTINUATIONS} continuations still")
        answer = unfenced(whole).strip()
        await draft.show(answer)
        return answer

    async def in_form(self, messages: list[Message], form: type[Form]) -> Form:
        """An instance of ``form``. The model is told what was wrong, and asked again, where its answer did not fit."""
        question, draft = self.question(messages, form), DraftPreview(draft_sink.get())

        async def watch(said: StreamedCompletion) -> None:
            if draft.due:
                await draft.show(without_thoughts(said.text))

        misfits = garbled = 0
        while misfits <= REPAIRS and garbled <= GARBLED:
            answer = (await self._uncut(question, watch)).text
            await draft.show(without_thoughts(answer))
            found = object_in(answer)
            if found is None:  # the server may pass over in silence what form it was asked for
                remember(self.client, self.model, known(self.client, self.model).less("spelled"))
                garbled, wrong = garbled + 1, "it holds no JSON object"
            else:
                try:
                    return form.model_validate(found)
                except ValidationError as error:
                    misfits, wrong = misfits + 1, told_of(error)
            question = corrected(question, messages, answer, wrong)
        raise ModelError(
            f"The model {self.model} does not answer in the form asked for, though it was told what was wrong."
            " Try another model.",
            code=FailureCode.MODEL_BAD_OUTPUT,
        )

    async def _uncut(self, question: Question, watch: Watch) -> StreamedCompletion:
        """An answer that is whole; one that was cut off is asked for once more, with more room."""
        said = await self._tried(question, watch)
        if said.ended == "length":
            said = await self._tried(self._wider(question, said), watch)
        if said.ended == "length":
            raise self._cut_short("asked again with more room, still")
        return said

    def question(self, messages: list[Message], form: type[BaseModel] | None = None) -> Question:
        return Question(self.model, messages, form, self.temperature, answer_limit(self.model, self.max_tokens))

    def _wider(self, question: Question, said: StreamedCompletion) -> Question:
        """The question with room for twice what was said. Where no limit was set, the server's own cut it."""
        return replace(question, max_tokens=max(2 * (question.max_tokens or said.usage.completion_tokens), WIDE))

    def _cut_short(self, when: str) -> ModelError:
        return ModelError(
            f"The answer of {self.model} was {when} cut at its limit of tokens. Raise the agent's or the server's limit,"
            " or use another model.",
            code=FailureCode.MODEL_OUTPUT_TOO_LONG,
            permanent=True,
        )

    async def _tried(self, question: Question, watch: Watch) -> StreamedCompletion:
        """One answer, tried again as often as the fault and LLM_PATIENCE allow. Waiting for a slot does not count."""
        spent = 0.0
        for attempt in range(1, self.tries + 1):
            try:
                async with self.slots:
                    began = time.monotonic()
                    return await self.once(question, watch, patience=settings.LLM_PATIENCE - spent)
            except Exception as error:
                fault = diagnose(error, self.model)
                if fault is None:
                    raise
                pause = fault.pause(attempt)
                spent += time.monotonic() - began + pause
                if fault.permanent or attempt == self.tries or spent >= settings.LLM_PATIENCE:
                    log.warning("%s: %s; given up after %d tries", self.model, fault.reason, attempt)
                    raise fault.given_up(attempt, self.model) from error
                await self._wait(fault, pause)
        raise AssertionError("the loop returns or raises")

    async def _wait(self, fault: Fault, seconds: float) -> None:
        log.warning("%s: %s; trying again in %.1f s", self.model, fault.reason, seconds)
        await asyncio.sleep(seconds)

    async def once(self, question: Question, watch: Watch, patience: float) -> StreamedCompletion:
        """One answer, in the best dialect the server understands. It may keep silent for ``patience`` seconds at most."""
        dialect = known(self.client, self.model)
        while True:
            try:
                said = await self._call(question, dialect, watch, patience)
            except openai.APIStatusError as error:
                lesser = dialect.without_refused(error, question)
                if lesser is None:
                    raise
                log.info("%s: asked again in a lesser dialect, %s, after: %s", self.model, lesser, error)
                dialect = lesser
            else:
                remember(self.client, self.model, dialect)
                return said

    async def _call(
        self, question: Question, dialect: ServerCapabilities, watch: Watch, patience: float
    ) -> StreamedCompletion:
        """One call. Counts its cost however it ends."""
        said, silence = StreamedCompletion(question.characters), min(patience, self._silence())
        async with reserved_cost(self.model, question.size, question.max_tokens):
            try:
                response = await self._asked(dialect.request(question), silence)
                async with aclosing(response), aclosing(chunks(response, silence)) as stream:
                    async for batch in stream:
                        said.take(batch, response.request)
                        await watch(said)
            except asyncio.CancelledError:
                said.leave()
                raise
            finally:
                charge(said.usage, self.model)
        said.check()
        return said

    async def _asked(self, request: dict[str, Any], silence: float) -> httpx.Response:
        """The response, its body not read yet. The client's ``completions.create`` would look at every message first."""
        return await self.client.post(
            "/chat/completions",
            cast_to=httpx.Response,
            body=request,
            options={"timeout": limits(silence)},
            stream=True,
        )

    def _silence(self) -> float:
        """Seconds without a word after which a call is given up: the client's own limit, LLM_TIMEOUT."""
        timeout = self.client.timeout
        seconds = timeout.read if isinstance(timeout, httpx.Timeout) else timeout
        return settings.LLM_TIMEOUT if seconds is None else seconds


def limits(silence: float) -> httpx.Timeout:
    return httpx.Timeout(silence, connect=min(silence, 10.0))


def gone_on_with(messages: list[Message], text: str) -> list[Message]:
    """The conversation after ``text`` was cut off."""
    words = config("boundary")["continuation"]
    return [*messages, {"role": "assistant", "content": text.rstrip()}, {"role": "user", "content": words}]


def corrected(question: Question, messages: list[Message], answer: str, wrong: str) -> Question:
    """The question again, with the bad answer and what was wrong with it."""
    told = config("boundary")["correction"].format(wrong=wrong)
    bad = {"role": "assistant", "content": answer[:LONGEST_QUOTE]}
    return replace(question, messages=[*messages, bad, {"role": "user", "content": told}])


def told_of(error: ValidationError) -> str:
    """What was wrong with an answer, without repeating what it said."""
    return "; ".join(f"{'.'.join(map(str, e['loc'])) or 'the answer'}: {e['msg']}" for e in error.errors()[:5])
