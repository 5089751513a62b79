"""Blind comparisons: sources, relay, the systems' articles, the judge's folder, and the score."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import time
from pathlib import Path

import openai
import pytest
import yaml

from bench.judge.__main__ import main
from bench.judge.blind_folder import words_of
from bench.judge.blinding import normalise
from bench.judge.comparison import Comparison, JudgeError
from bench.judge.relay import running_relay
from bench.judge.scoring import read_judged, score_table
from bench.judge.writing import Provider, write_article
from tests.model_server import ModelServer

TRIAL = """---
title: A trial of planted roofs
url: https://example.org/trial
publisher: Institute for Roofs
author: A. Gardener
date: 2024-05-31
kind: study
---
Planted roofs were 11 °C cooler in summer than bare ones. The trial had 40 roofs in one city.
"""
BROCHURE = """---
title: Green roofs pay for themselves
url: https://roofs.example.com/brochure/
publisher: Roof Traders
date: 2019
kind: vendor
---
A planted roof pays for itself within 4 years, says the association of roof traders.
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "roofs"
    folder.mkdir()
    brief = {
        "topic": "Should a city plant its flat roofs?",
        "audience": "city planners",
        "words": 300,
        "notes": "Say what it costs.",
    }
    (folder / "brief.yaml").write_text(yaml.safe_dump(brief))
    (folder / "01-trial.md").write_text(TRIAL)
    (folder / "02-brochure.txt").write_text(BROCHURE)
    return folder


@pytest.fixture
def model():
    with ModelServer() as server:
        yield server


def provider(server: ModelServer) -> Provider:
    return Provider(server.url, "none", "test-model", wait=30)


# The folder


def test_a_comparison_has_its_sources_in_the_order_of_their_files(folder):
    comparison = Comparison.read(folder)
    assert [source.head.title for source in comparison.sources] == [
        "A trial of planted roofs",
        "Green roofs pay for themselves",
    ]
    assert comparison.sources[0].head.date == "2024-05-31"
    assert comparison.sources[1].head.date == "2019"
    assert comparison.sources[1].text.startswith("A planted roof pays")


@pytest.mark.parametrize(
    ("file", "text", "problem"),
    [
        ("brief.yaml", "words: 900", "brief.yaml: topic: Field required"),
        ("brief.yaml", "topic: Flat roofs\nlenght: 900", "brief.yaml: lenght: Extra inputs"),
        (
            "brief.yaml",
            "topic: Flat roofs\nwords: 90",
            "brief.yaml: words: Input should be greater than or equal to 300",
        ),
        ("brief.yaml", "topic: [", "brief.yaml: invalid YAML"),
        ("03.md", "No head at all.", "03.md: no head"),
        ("03.md", "---\nurl: https://example.org\n---\nText", "03.md: title: Field required"),
        ("03.md", "---\ntitle: Empty\n---\n\n", "03.md: no text below the head"),
    ],
)
def test_an_invalid_file_is_named_with_its_problem(folder, capsys, file, text, problem):
    (folder / file).write_text(text)
    assert main(["prepare", str(folder)]) == 1
    assert problem in capsys.readouterr().err


def test_a_folder_without_sources_or_brief_is_refused(folder, tmp_path):
    for path in folder.glob("0*"):
        path.unlink()
    with pytest.raises(JudgeError, match="has no sources"):
        Comparison.read(folder)
    with pytest.raises(JudgeError, match=r"brief\.yaml does not exist"):
        Comparison.read(tmp_path)
    with pytest.raises(JudgeError, match="is not a folder"):
        Comparison.read(tmp_path / "missing")


def test_the_rival_prompt_has_the_whole_brief_and_all_sources(folder):
    assert main(["prepare", str(folder)]) == 0
    prompt = (folder / "output" / "rival_prompt.md").read_text()
    for part in ("Should a city plant", "city planners", "300 words", '"en"', "Say what it costs", "professional"):
        assert part in prompt
    for part in ("https://example.org/trial", "Institute for Roofs", "2024-05-31", "vendor", "11 °C cooler", "4 years"):
        assert part in prompt
    assert re.search(r"Today is \d{4}-\d\d-\d\d", prompt)
    assert "$" not in prompt


# The relay


async def answer(folder: Path, number: int, text: str) -> str:
    """Wait for a request, answer it, and return what a person reads of it."""
    request = folder / f"{number:04}.request.md"
    async with asyncio.timeout(10):
        while not (folder / f"{number:04}.request.json").exists():
            await asyncio.sleep(0.02)
    (folder / f"{number:04}.answer.txt").write_text(text)
    return request.read_text()


def client(base_url: str) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(base_url=base_url, api_key="none", max_retries=0)


def ask(base_url: str, prompt: str, **more):
    return client(base_url).chat.completions.create(
        model="relay", messages=[{"role": "user", "content": prompt}], **more
    )


async def test_a_request_is_a_readable_file_and_its_answer_comes_back(tmp_path):
    async with running_relay(tmp_path, wait=10) as base_url:
        response, shown = await asyncio.gather(
            ask(base_url, "How warm?", max_tokens=70), answer(tmp_path, 1, "11 °C\n")
        )
    assert response.choices[0].message.content == "11 °C"
    assert "## user\n\nHow warm?" in shown
    assert "At most 70 tokens." in shown
    assert "0001.answer.txt" in shown
    assert json.loads((tmp_path / "0001.request.json").read_text())["messages"][0]["content"] == "How warm?"


async def test_a_stream_brings_the_same_words_and_the_usage(tmp_path):
    text = "# Roofs\n\nThey are  cool.\n\n- one\n- two"
    async with running_relay(tmp_path, wait=10) as base_url:
        asked = ask(base_url, "Write.", stream=True, stream_options={"include_usage": True})
        stream, _ = await asyncio.gather(asked, answer(tmp_path, 1, text))
        chunks = [chunk async for chunk in stream]
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == text
    assert chunks[-1].usage.completion_tokens == len(text) // 4


async def test_the_schema_of_the_answer_is_shown(tmp_path):
    schema = {"type": "object", "properties": {"title": {"type": "string"}}}
    form = {"type": "json_schema", "json_schema": {"name": "plan", "schema": schema}}
    async with running_relay(tmp_path, wait=10) as base_url:
        response, shown = await asyncio.gather(
            ask(base_url, "Plan.", response_format=form), answer(tmp_path, 1, '{"title": "Roofs"}')
        )
    assert json.loads(response.choices[0].message.content) == {"title": "Roofs"}
    assert json.dumps(schema, indent=2) in shown


async def test_requests_wait_side_by_side_and_a_retry_keeps_its_number(tmp_path):
    async with running_relay(tmp_path, wait=10) as base_url:
        lost = asyncio.create_task(ask(base_url, "First"))
        await asyncio.sleep(0.3)
        lost.cancel()
        first, second, _, _ = await asyncio.gather(
            ask(base_url, "First"), ask(base_url, "Second"), answer(tmp_path, 2, "two"), answer(tmp_path, 1, "one")
        )
    assert [response.choices[0].message.content for response in (first, second)] == ["one", "two"]
    assert len(list(tmp_path.glob("*.request.json"))) == 2


async def test_a_repeated_beginning_counts_as_cached(tmp_path):
    beginning = "The reading. " * 500
    async with running_relay(tmp_path, wait=10) as base_url:
        first, _ = await asyncio.gather(ask(base_url, beginning + "Find."), answer(tmp_path, 1, "one"))
        second, _ = await asyncio.gather(ask(base_url, beginning + "Plan."), answer(tmp_path, 2, "two"))
    assert first.usage.prompt_tokens_details.cached_tokens == 0
    assert second.usage.prompt_tokens_details.cached_tokens == 1536  # 12 blocks of 128 of 1,625 tokens


async def test_a_request_without_an_answer_fails_and_the_next_relay_counts_on(tmp_path):
    async with running_relay(tmp_path, wait=0.3) as base_url:
        with pytest.raises(openai.InternalServerError, match="No answer to request 0001"):
            await ask(base_url, "Anyone?")
    async with running_relay(tmp_path, wait=10) as base_url:
        await asyncio.gather(ask(base_url, "Again"), answer(tmp_path, 2, "yes"))


# Writing


async def test_one_prompt_is_one_call(folder, model):
    comparison = Comparison.read(folder)
    article = await write_article(comparison, "single", provider(model))
    figures = json.loads(article.with_suffix(".json").read_text())
    assert model.calls[0].prompt.count("11 °C cooler") == 1
    assert figures["calls"] == len(model.calls) == 1
    assert figures["prompt_tokens"] > 100
    assert figures["wall"] >= 0
    assert len(article.read_text().split()) > 200


async def test_the_pipeline_summarises_each_source_for_its_queries_and_drops_empty_summaries(folder, model):
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
async def test_the_studio_writes_from_the_sources_of_the_comparison(folder, model):
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


def test_a_model_is_needed(folder, capsys, monkeypatch):
    for name in ("OPENAI_BASE_URL", "OPENAI_API_KEY", "LLM_MODEL"):
        monkeypatch.delenv(name, raising=False)
    assert main(["write", "--system", "single", str(folder)]) == 1
    assert "Set OPENAI_BASE_URL" in capsys.readouterr().err


# Blinding

STUDIO = """# What a planted roof is worth

It is 11 °C cooler.[^1] It pays for itself, the traders say.[^2][^1]

| roof | cooler |
|---|---|
| planted | 11 °C[^1] |

[^1]: A trial of planted roofs, Institute for Roofs, 2024, <https://example.org/trial>
[^2]: Green roofs pay for themselves\\. https://roofs.example.com/brochure

*Written with Content Studio*
"""
SINGLE = """---
model: some-model
---
# Plant them

![cover](https://example.org/cover.png)
The [Institute for Roofs](https://example.org/trial) measured 11 °C ([trial](https://example.org/trial), [traders](https://roofs.example.com/brochure)).
Others are [not in the sources](https://other.example.net/page).

## Conclusion

Do it ([trial](https://www.example.org/trial#top)).

## References

- A trial of planted roofs. https://example.org/trial
- Green roofs pay for themselves. https://roofs.example.com/brochure
"""
NUMBERED = """# Plant them

It is cooler [1, 2]. See 2024 [3] and list[0].

**Sources:**
1. A trial of planted roofs
2. https://roofs.example.com/brochure/
"""
LIST = """1. A trial of planted roofs — Institute for Roofs, A. Gardener, 2024-05-31, https://example.org/trial (sources/01.md)
2. Green roofs pay for themselves — Roof Traders, 2019, https://roofs.example.com/brochure/ (sources/02.md)
"""


def blinded(folder: Path, text: str, language: str = "en") -> str:
    return normalise(text, Comparison.read(folder).sources, language)


def test_footnotes_become_numbers_before_the_punctuation(folder):
    text = blinded(folder, STUDIO)
    assert "It is 11 °C cooler [1]. It pays for itself, the traders say [2][1].\n" in text
    assert "| planted | 11 °C [1] |" in text
    assert text.startswith("# What a planted roof is worth\n")
    assert text.endswith(f"\n\n## References\n\n{LIST}")
    assert "Studio" not in text


def test_links_become_numbers_and_keep_the_words_of_the_sentence(folder):
    text = blinded(folder, SINGLE)
    assert "The Institute for Roofs [1] measured 11 °C [1][2].\n" in text
    assert "Others are not in the sources [3].\n" in text
    assert "Do it [1]." in text
    assert "some-model" not in text
    assert "cover" not in text
    assert f"## References\n\n{LIST}3. not in the sources https://other.example.net/page\n" in text
    assert text.count("## References") == 1


def test_a_figure_that_is_a_link_keeps_its_words(folder):
    text = blinded(
        folder, "# Roofs\n\n| People | [165](https://example.org/trial) | [1](https://example.org/trial) |\n"
    )
    assert "| People | 165 [1] | [1] |" in text


def test_numbers_of_a_reference_list_are_kept_and_others_are_text(folder):
    text = blinded(folder, NUMBERED, "de-AT")
    assert "It is cooler [1][2]. See 2024 [3] and list[0]." in text
    assert text.endswith(f"## Quellen\n\n{LIST}")
    assert "Sources:" not in text


def test_abbreviations_and_quotations_keep_their_full_stop(folder):
    text = blinded(
        folder,
        "| Gardener et al. [trial](https://example.org/trial) |\n\nHe said: “Cool.”[^1] A. B. measured it,[^1] twice.[^1]\n\n"
        "## Sources and further reading\n\n- A trial of planted roofs\n\n[^1]: A trial of planted roofs\n",
    )
    assert "| Gardener et al. trial [1] |" in text
    assert "He said: “Cool.” [1] A. B. measured it [1], twice [1]." in text
    assert "further reading" not in text


def test_the_name_of_a_system_in_the_text_is_refused(folder):
    with pytest.raises(JudgeError, match="names a system"):
        blinded(folder, "# Roofs\n\nThis article by GPT Researcher is about roofs.\n")


@pytest.fixture
def written(folder: Path) -> Path:
    output = Comparison.read(folder).output
    (output / "studio.md").write_text(STUDIO)
    (output / "single.md").write_text(SINGLE)
    return folder


def test_a_judge_gets_both_orders_and_nothing_that_says_who_wrote_what(written, tmp_path):
    judge = tmp_path / "for-a-judge"
    assert main(["blind", "--pair", "studio", "single", "--out", str(judge), "--seed", "5", str(written)]) == 0
    key = yaml.safe_load((written / "keys" / "01.yaml").read_text())
    assert sorted(key["articles"]["1"].values()) == ["single", "studio"]
    assert key["articles"]["2"] == {"A": key["articles"]["1"]["B"], "B": key["articles"]["1"]["A"]}
    for letter, other in ("AB", "BA"):
        first, second = judge / "1" / f"article-{letter}.md", judge / "2" / f"article-{other}.md"
        assert first.read_text() == second.read_text()
    titles = {"studio": "# What a planted roof is worth", "single": "# Plant them"}
    for letter, name in key["articles"]["1"].items():
        assert (judge / "1" / f"article-{letter}.md").read_text().startswith(titles[name])
    files = sorted(str(path.relative_to(judge)) for path in judge.rglob("*") if path.is_file())
    assert files == [
        "1/article-A.md",
        "1/article-B.md",
        "2/article-A.md",
        "2/article-B.md",
        "instructions.md",
        "sources/01.md",
        "sources/02.md",
    ]
    everything = "\n".join(path.read_text() for path in judge.rglob("*") if path.is_file()) + "\n".join(files)
    assert not re.search(r"studio|single|researcher|some-model|seed", everything, re.IGNORECASE)
    instructions = (judge / "instructions.md").read_text()
    assert "Should a city plant its flat roofs?" in instructions
    assert "$" not in instructions


def test_the_order_depends_on_the_seed(written, tmp_path):
    for seed in range(12):
        main(
            [
                "blind",
                "--pair",
                "studio",
                "single",
                "--out",
                str(tmp_path / f"judge{seed}"),
                "--seed",
                str(seed),
                str(written),
            ]
        )
    keys = [yaml.safe_load(path.read_text()) for path in (written / "keys").glob("*.yaml")]
    assert {key["articles"]["1"]["A"] for key in keys} == {"studio", "single"}


def test_a_missing_article_and_a_used_folder_are_refused(written, capsys, tmp_path):
    assert main(["blind", "--pair", "studio", "gpt_researcher", str(written)]) == 1
    assert "gpt_researcher.md does not exist" in capsys.readouterr().err
    assert main(["blind", "--pair", "studio", "studio", str(written)]) == 1
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "file").write_text("x")
    assert main(["blind", "--pair", "studio", "single", "--out", str(tmp_path / "used"), str(written)]) == 1
    assert "is not empty" in capsys.readouterr().err


def test_the_reference_list_does_not_count_as_length(folder):
    assert words_of(blinded(folder, NUMBERED)) < 15


# Scores


def verdict(judge: str, overall: str, points: dict[str, int], *, claims: int = 15) -> dict:
    criteria = (
        "usefulness",
        "structure",
        "faithfulness",
        "citations",
        "language",
        "length",
        "coverage",
        "disagreement",
    )

    def article(letter: str) -> dict:
        verdicts = ["supported"] * (claims - 2) + ["partly", "unsupported"]
        return {
            "scores": dict.fromkeys(criteria, points[letter]),
            "publish": points[letter] > 6,
            "claims": [{"claim": f"Claim {number}", "verdict": each} for number, each in enumerate(verdicts)],
        }

    return {
        "judge": judge,
        "overall": overall,
        "reason": "Better | clearer.",
        "articles": {"A": article("A"), "B": article("B")},
    }


def test_verdicts_of_both_orders_are_added_up_by_system(written, capsys):
    assert main(["blind", "--pair", "studio", "single", str(written)]) == 0
    blind = written / "blind" / "01"
    first = yaml.safe_load((written / "keys" / "01.yaml").read_text())["articles"]["1"]
    studio, single = sorted(first, key=first.__getitem__, reverse=True)
    (blind / "1" / "verdict.yaml").write_text(yaml.safe_dump(verdict("Ada", studio, {studio: 8, single: 6})))
    (blind / "1" / "verdict-ben.yaml").write_text(yaml.safe_dump(verdict("Ben", "tie", {studio: 7, single: 7})))
    (blind / "2" / "verdict.yaml").write_text(yaml.safe_dump(verdict("Ada", studio, {studio: 7, single: 5})))
    capsys.readouterr()
    assert main(["score", str(written)]) == 0
    table = capsys.readouterr().out
    assert (written / "output" / "score.md").read_text() == table
    # In order 2 the letters are swapped: Ada's second vote is for the single prompt.
    assert "| studio | 1 of 3 (33%) | 53.3 | 39 / 3 / 3 | 2 of 3 |" in table
    assert "| single | 1 of 3 (33%) | 53.3 | 39 / 3 / 3 | 2 of 3 |" in table
    assert "Ties: 1. Judges who read both orders: 1; with another verdict in the other order: 1." in table
    assert "| roofs | Ada | 1 | studio | 48 | 64 | 13 / 1 / 1 | 13 / 1 / 1 | Better \\| clearer. |" in table
    assert "| roofs | Ada | 2 | single | 56 | 40 |" in table
    assert "| roofs | Ben | 1 | tie | 56 | 56 |" in table
    assert len(read_judged([written])) == 3
    assert score_table(read_judged([written])) == table


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"overall": "C"}, "overall: Input should be 'A', 'B' or 'tie'"),
        ({"winner": "A"}, "winner: Extra inputs"),
        ({"judge": ""}, "judge: String should have at least 1 character"),
    ],
)
def test_an_invalid_verdict_is_named_with_its_problem(written, capsys, change, problem):
    main(["blind", "--pair", "studio", "single", str(written)])
    path = written / "blind" / "01" / "1" / "verdict.yaml"
    path.write_text(yaml.safe_dump(verdict("Ada", "A", {"A": 8, "B": 6}) | change))
    assert main(["score", str(written)]) == 1
    error = capsys.readouterr().err
    assert problem in error
    assert str(path) in error


def test_too_few_claims_and_scores_above_ten_are_refused(written, capsys):
    main(["blind", "--pair", "studio", "single", str(written)])
    path = written / "blind" / "01" / "1" / "verdict.yaml"
    path.write_text(yaml.safe_dump(verdict("Ada", "A", {"A": 11, "B": 6}, claims=14)))
    assert main(["score", str(written)]) == 1
    error = capsys.readouterr().err
    assert "articles.A.claims: List should have at least 15 items" in error
    assert "articles.A.scores.usefulness: Input should be less than or equal to 10" in error


def test_without_verdicts_there_is_no_score(written, capsys):
    assert main(["score", str(written)]) == 1
    main(["blind", "--pair", "studio", "single", str(written)])
    capsys.readouterr()
    assert main(["score", str(written)]) == 1
    assert "blind/01/1" in capsys.readouterr().err


def test_the_form_of_the_instructions_is_a_valid_verdict_once_filled_in(written):
    main(["blind", "--pair", "studio", "single", str(written)])
    blind = written / "blind" / "01"
    form = re.search(r"```yaml\n(.*?)```", (blind / "instructions.md").read_text(), re.DOTALL)
    assert form
    filled = yaml.safe_load(form[1])
    article = filled["articles"]["A"]
    article["claims"] *= 15
    filled["articles"]["B"] = article
    (blind / "1" / "verdict.yaml").write_text(yaml.safe_dump(filled))
    assert read_judged([written])[0].judge == "your name"
    shutil.rmtree(blind)
