"""The compared systems write from the sources of the folder."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from bench.judge.__main__ import main
from bench.judge.comparison import Comparison
from bench.judge.writing import Provider, write_article
from tests.model_server import ModelServer


def provider(server: ModelServer) -> Provider:
    return Provider(server.url, "none", "test-model", wait=30)


async def test_one_prompt_is_one_call(folder: Path, model: ModelServer) -> None:
    comparison = Comparison.read(folder)
    article = await write_article(comparison, "single", provider(model))
    figures = json.loads(article.with_suffix(".json").read_text())
    assert model.calls[0].prompt.count("11 °C cooler") == 1
    assert figures["calls"] == len(model.calls) == 1
    assert figures["prompt_tokens"] > 100
    assert figures["wall"] >= 0
    assert len(article.read_text().split()) > 200


async def test_the_pipeline_summarises_each_source_for_its_queries_and_drops_empty_summaries(
    folder: Path, model: ModelServer
) -> None:
    model.fail(match="search queries", text='["cost of roofs", "heat", "rain"]')
    model.fail(match="Roof Traders", text="NOTHING")
    await write_article(Comparison.read(folder), "gpt_researcher", provider(model))
    assert len(model.calls) == 1 + 2 + 1
    assert all("- cost of roofs" in call.prompt for call in model.calls[1:3])
    report = model.calls[3].prompt
    assert "Institute for Roofs" in report
    assert "Roof Traders" not in report
    assert "11 °C cooler" not in report


@pytest.mark.timeout(300)  # it starts a whole studio
async def test_the_studio_writes_from_the_sources_of_the_comparison(folder: Path, model: ModelServer) -> None:
    start = time.monotonic()
    article = await write_article(Comparison.read(folder), "studio", provider(model))
    elapsed = time.monotonic() - start
    figures = json.loads(article.with_suffix(".json").read_text())
    assert 0 < figures["wall"] < elapsed - 2  # without the start of the studio
    assert figures["calls"] >= 3
    assert figures["prompt_tokens"] > 0
    assert "cached_tokens" in figures
    assert figures["result"]["content"]
    assert article.read_text().startswith("# ")
    assert any("11 °C cooler" in call.prompt for call in model.calls)


def test_a_model_is_needed(folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_BASE_URL", "OPENAI_API_KEY", "LLM_MODEL"):
        monkeypatch.delenv(name, raising=False)
    assert main(["write", "--system", "single", str(folder)]) == 1
    assert "Set OPENAI_BASE_URL" in capsys.readouterr().err
