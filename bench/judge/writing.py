"""Writes the article of one system: the studio, one long prompt, or a pipeline like GPT Researcher's."""

from __future__ import annotations

import asyncio
import json
import os
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import openai

from bench.judge.comparison import Comparison, JudgeError
from bench.judge.prompts import fill, report_prompt, rival_prompt, today
from bench.judge.relay import MODEL as RELAY_MODEL
from bench.judge.relay import running_relay, write_whole
from bench.studio import started_studio
from bench.watchers import Watcher

SUMMARIES_AT_ONCE = 5


@dataclass(frozen=True)
class Provider:
    """``wait``: seconds until a call without an answer fails."""

    base_url: str
    api_key: str
    model: str
    wait: float


@dataclass
class Spent:
    """Calls and tokens of an article; ``cached_tokens`` are part of ``prompt_tokens``."""

    calls: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0


@dataclass(frozen=True)
class Written:
    """The Markdown of an article, and figures about it for the file beside it. A ``wall`` among them replaces the total time."""

    text: str
    figures: dict[str, Any]


@asynccontextmanager
async def provider_from(relay: Path | None, model: str, wait: float) -> AsyncIterator[Provider]:
    """The provider of the environment, or a relay over the folder ``relay``. Raises JudgeError if there is neither."""
    if relay is not None:
        async with running_relay(relay, wait) as base_url:
            yield Provider(base_url, "none", model or RELAY_MODEL, wait)
        return
    base_url, api_key = os.environ.get("OPENAI_BASE_URL", ""), os.environ.get("OPENAI_API_KEY", "")
    if not base_url and not api_key:
        raise JudgeError("No model. Set OPENAI_BASE_URL or OPENAI_API_KEY, or give a folder with --relay.")
    model = model or os.environ.get("LLM_MODEL", "")
    if not model:
        raise JudgeError("Name the model with --model or LLM_MODEL.")
    yield Provider(base_url, api_key or "none", model, wait)


async def write_article(comparison: Comparison, system: str, provider: Provider) -> Path:
    """Write the article of ``system``; its file. The figures are in a JSON file beside it."""
    start = time.monotonic()
    written = await SYSTEMS[system](comparison, provider)
    figures = {"system": system, "model": provider.model, "wall": round(time.monotonic() - start, 1), **written.figures}
    article = comparison.output / f"{system}.md"
    write_whole(article, written.text.strip() + "\n")
    write_whole(article.with_suffix(".json"), json.dumps(figures, indent=2, ensure_ascii=False) + "\n")
    return article


class Chat:
    """Single completions, counted."""

    def __init__(self, provider: Provider) -> None:
        self.model, self.spent = provider.model, Spent()
        self.client = openai.AsyncOpenAI(
            base_url=provider.base_url or None, api_key=provider.api_key, timeout=provider.wait
        )

    async def ask(self, prompt: str) -> str:
        response = await self.client.chat.completions.create(
            model=self.model, messages=[{"role": "user", "content": prompt}]
        )
        self.spent.calls += 1
        if usage := response.usage:
            self.spent.prompt_tokens += usage.prompt_tokens
            self.spent.completion_tokens += usage.completion_tokens
            self.spent.cached_tokens += (usage.prompt_tokens_details and usage.prompt_tokens_details.cached_tokens) or 0
        choice = response.choices[0]
        if choice.finish_reason == "length" or not choice.message.content:
            raise JudgeError("The model's answer is empty or was cut off at its token limit.")
        return choice.message.content


async def write_with_one_prompt(comparison: Comparison, provider: Provider) -> Written:
    chat = Chat(provider)
    text = await chat.ask(rival_prompt(comparison, today()))
    return Written(text, asdict(chat.spent))


async def write_like_gpt_researcher(comparison: Comparison, provider: Provider) -> Written:
    """The public design of GPT Researcher: queries, a summary of each source for them, one report prompt over the summaries.

    The comparison's sources stand in for its web search.
    """
    chat, day = Chat(provider), today()
    answer = await chat.ask(fill("queries.md", comparison, day))
    queries = [comparison.brief.topic, *queries_of(answer)]
    places = asyncio.Semaphore(SUMMARIES_AT_ONCE)

    async def summarise(material: str) -> str:
        listed = "\n".join(f"- {query}" for query in queries)
        async with places:
            return await chat.ask(fill("summary.md", comparison, day, queries=listed, material=material))

    summaries = await asyncio.gather(*(summarise(source.as_prompt()) for source in comparison.sources))
    material = "\n\n".join(
        f"[{source.number}] {source.label}\n\n{summary.strip()}"
        for source, summary in zip(comparison.sources, summaries, strict=True)
        if summary.strip().strip(".*").upper() != "NOTHING"
    )
    text = await chat.ask(report_prompt(comparison, day, f"What the sources say:\n\n{material}"))
    return Written(text, {**asdict(chat.spent), "queries": queries})


def queries_of(answer: str) -> list[str]:
    """The strings of the JSON list in ``answer``. Raises JudgeError if there is none."""
    found = re.search(r"\[.*\]", answer, re.DOTALL)
    try:
        queries = json.loads(found[0]) if found else None
    except ValueError:
        queries = None
    if not isinstance(queries, list) or not queries:
        raise JudgeError(f"The model did not answer with a list of queries: {answer[:200]}")
    return [str(query) for query in queries]


async def write_with_studio(comparison: Comparison, provider: Provider) -> Written:
    """Start a studio of its own in a temporary folder, send the brief over its API, and export the finished article.

    The time to start it does not count as the article's.
    """
    settings = {
        "OPENAI_BASE_URL": provider.base_url,
        "OPENAI_API_KEY": provider.api_key,
        "LLM_MODEL": provider.model,
        "LLM_TIMEOUT": str(provider.wait),
        "LLM_PATIENCE": str(2 * provider.wait),
    }
    with TemporaryDirectory(prefix="studio-judge-", ignore_cleanup_errors=True) as var:
        async with started_studio(Path(var), workers=1, **settings) as studio:
            api = studio.api
            async with api.get("/api/openapi.json") as response:
                fields = (await response.json())["components"]["schemas"]["SourceIn"]["properties"]
            start = time.monotonic()
            async with api.post("/api/articles/create", json=studio_brief(comparison, fields)) as response:
                created = await response.json()
                if response.status != 201:
                    raise JudgeError(f"The studio refused the brief: {created.get('detail', created)}")
            final = await Watcher(api, created["id"]).follow()
            wall = time.monotonic() - start
            address = f"/api/articles/{created['id']}"
            if final["status"] != "completed":
                raise JudgeError(f"The studio's article was not finished ({final['status']}): {final['message']}")
            async with api.get(f"{address}/export/md") as response:
                text = (await response.read()).decode()
            async with api.get(f"{address}/result") as result, api.get(f"{address}/cost") as cost:
                spent = await cost.json()
                figures = {"wall": round(wall, 1)} | {name: spent[name] for name in asdict(Spent())}
                return Written(text, {**figures, "stages": spent["stages"], "result": await result.json()})


def studio_brief(comparison: Comparison, source_fields: dict[str, Any]) -> dict[str, Any]:
    """The brief as the API takes it. Of a source's head only the fields that this version of the API has."""
    brief = comparison.brief
    sources = [
        {name: value for name, value in source.head.model_dump().items() if value and name in source_fields}
        | {"text": source.text}
        for source in comparison.sources
    ]
    return {
        "topic": brief.topic,
        "tone": brief.tone,
        "target_audience": brief.audience,
        "min_words": brief.words,
        "language": brief.language,
        "notes": brief.notes,
        "keywords": brief.keywords,
        "include_image": False,
        "seo_optimize": True,
        "sources": sources,
    }


SYSTEMS: dict[str, Callable[[Comparison, Provider], Awaitable[Written]]] = {
    "studio": write_with_studio,
    "single": write_with_one_prompt,
    "gpt_researcher": write_like_gpt_researcher,
}
