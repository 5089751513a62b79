"""The other side of the comparison: a plain sequential ``crewai.Crew`` of the same six agents, as CrewAI documents it.

Stock executor, stock ``crewai.LLM``, one task after the other, each with the answers of all earlier tasks. Articles that
are written at once share the process, one thread each, as in the background tasks of a web server.

Run as a process: prints a line when it is ready; then writes its articles for each line on stdin and prints them as JSON.
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

from bench.brief import brief
from bench.environment import ROOT
from bench.simulated_model import MODELS

WORDS_PER_SECTION = 190
OUTLINE_WORDS_PER_SECTION = 45

Texts = dict[str, dict[str, str]]


def load_texts(path: Path) -> Texts:
    return cast(Texts, yaml.safe_load(path.read_text(encoding="utf-8")))


AGENTS = load_texts(ROOT / "agents" / "config" / "agents.yaml")
TASKS = load_texts(Path(__file__).with_name("sequential_tasks.yaml"))


def write_article(base_url: str, words: int, number: int) -> dict[str, Any]:
    """The text of the article, or the reason why there is none."""
    try:
        crew = sequential_crew(base_url, task_fields(words, number))
        crew.kickoff()
        *_, article, _, scene = [task.output.raw for task in crew.tasks if task.output]
        generate_image(base_url, scene)
    except Exception as error:  # a failure of any kind is a result of the measurement
        return {"content": "", "error": f"{type(error).__name__}: {error}"}
    return {"content": article, "error": ""}


def sequential_crew(base_url: str, fields: dict[str, Any]) -> Crew:
    llm = LLM(model=f"openai/{MODELS[0]}", base_url=base_url, api_key="none")
    agents = {
        name: Agent(**texts, llm=llm, verbose=False, respect_context_window=False) for name, texts in AGENTS.items()
    }
    tasks = [
        Task(
            description=texts["description"].format_map(fields),
            expected_output=texts["expected_output"].format_map(fields),
            agent=agents[texts["agent"]],
        )
        for texts in TASKS.values()
    ]
    return Crew(agents=list(agents.values()), tasks=tasks, process=Process.sequential, verbose=False)


def generate_image(base_url: str, scene: str) -> None:
    client = openai.OpenAI(base_url=base_url, api_key="none")
    client.images.generate(model=MODELS[1], prompt=scene, size="1536x1024")


def task_fields(words: int, number: int) -> dict[str, Any]:
    """The values of the placeholders in the task texts."""
    requested = brief(words, number)
    sections = max(2, round(words / WORDS_PER_SECTION))
    return {
        "brief": f"Topic: {requested['topic']}\nReaders: {requested['target_audience']}\nTone: {requested['tone']}",
        "language": requested["language"],
        "passages": passages(requested["sources"]),
        "sections": sections,
        "outline_words": sections * OUTLINE_WORDS_PER_SECTION,
        "words": words,
    }


def passages(sources: list[dict[str, str]]) -> str:
    """The paragraphs of the sources, each below its id."""
    paragraphs = [part for source in sources for part in source["text"].split("\n\n") if not part.startswith("#")]
    return "\n\n".join(f"[S{number}]\n{text}" for number, text in enumerate(paragraphs, 1))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("base_url")
    parser.add_argument("words", type=int)
    parser.add_argument("at_once", type=int)
    options = parser.parse_args()
    with os.fdopen(os.dup(sys.stdout.fileno()), "w") as answers:
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # CrewAI prints to stdout
        print("ready", file=answers, flush=True)
        for _ in sys.stdin:
            with ThreadPoolExecutor(options.at_once) as threads:
                numbers = range(1, options.at_once + 1)
                written = list(threads.map(lambda n: write_article(options.base_url, options.words, n), numbers))
            print(json.dumps(written), file=answers, flush=True)


if __name__ == "__main__":
    main()
