"""What the studio is measured beside: a plain sequential ``crewai.Crew`` of the same six agents, as its handbook shows it.

Stock executor, stock ``crewai.LLM``, one task after the other, each with all that was answered before. Articles that are
written at once share the process, a thread each, as in a web server's background tasks.

A process of its own: says that it is ready; for each line that comes in it writes its articles, and prints them as JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, cast

import openai
import yaml
from crewai import LLM, Agent, Crew, Process, Task

from bench.brief import ROOT, brief
from bench.simulated_model import MODELS

WORDS_A_SECTION = 190
OUTLINE_WORDS_A_SECTION = 45

Words = dict[str, dict[str, str]]


def words_of(path: Path) -> Words:
    return cast(Words, yaml.safe_load(path.read_text(encoding="utf-8")))


AGENTS = words_of(ROOT / "agents" / "config" / "agents.yaml")
TASKS = words_of(Path(__file__).with_name("sequential_tasks.yaml"))


def write_article(base_url: str, words: int, number: int) -> dict[str, Any]:
    """The article's text, or why there is none."""
    try:
        crew = sequential_crew(base_url, fields(words, number))
        crew.kickoff()
        *_, article, _, scene = [task.output.raw for task in crew.tasks if task.output]
        draw(base_url, scene)
    except Exception as error:  # whatever it fails of is a result of the measurement
        return {"content": "", "error": f"{type(error).__name__}: {error}"}
    return {"content": article, "error": ""}


def sequential_crew(base_url: str, fields: dict[str, Any]) -> Crew:
    llm = LLM(model=f"openai/{MODELS[0]}", base_url=base_url, api_key="none")
    agents = {
        name: Agent(**words, llm=llm, verbose=False, respect_context_window=False) for name, words in AGENTS.items()
    }
    tasks = [
        Task(
            description=words["description"].format_map(fields),
            expected_output=words["expected_output"].format_map(fields),
            agent=agents[words["agent"]],
        )
        for words in TASKS.values()
    ]
    return Crew(agents=list(agents.values()), tasks=tasks, process=Process.sequential, verbose=False)


def draw(base_url: str, scene: str) -> None:
    client = openai.OpenAI(base_url=base_url, api_key="none")
    client.images.generate(model=MODELS[1], prompt=scene, size="1536x1024")


def fields(words: int, number: int) -> dict[str, Any]:
    """What fills the braces of the tasks."""
    asked = brief(words, number)
    sections = max(2, round(words / WORDS_A_SECTION))
    return {
        "brief": f"Topic: {asked['topic']}\nReaders: {asked['target_audience']}\nTone: {asked['tone']}",
        "language": asked["language"],
        "passages": passages(asked["sources"]),
        "sections": sections,
        "outline_words": sections * OUTLINE_WORDS_A_SECTION,
        "words": words,
    }


def passages(sources: list[dict[str, str]]) -> str:
    """The paragraphs of the sources, each under an id."""
    paragraphs = [part for source in sources for part in source["text"].split("\n\n") if not part.startswith("#")]
    return "\n\n".join(f"[S{number}]\n{text}" for number, text in enumerate(paragraphs, 1))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("base_url")
    parser.add_argument("words", type=int)
    parser.add_argument("at_once", type=int)
    asked = parser.parse_args()
    with os.fdopen(os.dup(sys.stdout.fileno()), "w") as answers:
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # CrewAI prints where it likes
        print("ready", file=answers, flush=True)
        for _ in sys.stdin:
            with ThreadPoolExecutor(asked.at_once) as threads:
                numbers = range(1, asked.at_once + 1)
                written = list(threads.map(lambda n: write_article(asked.base_url, asked.words, n), numbers))
            print(json.dumps(written), file=answers, flush=True)


if __name__ == "__main__":
    main()
