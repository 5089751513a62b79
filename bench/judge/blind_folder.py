"""Writes the folder that a judge gets, and the key that says who wrote which article."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import yaml
from pydantic import BaseModel

from articles.quality import ScoredText
from bench.judge.blinding import normalise
from bench.judge.comparison import Comparison, JudgeError
from bench.judge.prompts import fill, load

ORDERS = ("1", "2")


class Key(BaseModel):
    """Who wrote what. ``folder`` is the judge's; ``articles`` maps an order (1 or 2) to the systems of A and B."""

    comparison: str
    folder: str
    seed: int
    articles: dict[str, dict[str, str]]


def write_blind_folder(
    comparison: Comparison, pair: Sequence[str], folder: Path | None, seed: int | None, day: date
) -> tuple[Path, Path]:
    """Write a judge's folder for the articles of two systems; the folder, and the file of its key.

    Without ``folder`` it is a numbered one of the comparison. Without ``seed`` that number shuffles the articles.
    """
    first, second = pair
    if first == second:
        raise JudgeError(f"Both articles would be {first}. Name two systems.")
    articles = {name: normalised_article(comparison, name) for name in pair}
    keys = comparison.folder / "keys"
    keys.mkdir(exist_ok=True)
    number = max((int(path.stem) for path in keys.glob("[0-9]*.yaml")), default=0) + 1
    folder = folder or comparison.folder / "blind" / f"{number:02}"
    if folder.exists() and any(folder.iterdir()):
        raise JudgeError(f"{folder} is not empty.")
    names = [first, second]
    seed = number if seed is None else seed
    random.Random(f"{comparison.name} {seed}").shuffle(names)  # noqa: S311 - an order, not a secret
    orders = dict(zip(ORDERS, (names, names[::-1]), strict=True))
    assignment = {order: {"A": systems[0], "B": systems[1]} for order, systems in orders.items()}
    for order, letters in assignment.items():
        (folder / order).mkdir(parents=True)
        for letter, name in letters.items():
            (folder / order / f"article-{letter}.md").write_text(articles[name], encoding="utf-8")
    write_sources(comparison, folder)
    lengths = "; ".join(
        f"{letter} in folder 1 has {words_of(articles[name]):,}" for letter, name in assignment["1"].items()
    )
    instructions = fill("instructions.md", comparison, day, lengths=lengths, form=load("verdict.yaml"))
    (folder / "instructions.md").write_text(instructions, encoding="utf-8")
    key = Key(comparison=comparison.name, folder=str(folder.resolve()), seed=seed, articles=assignment)
    key_file = keys / f"{number:02}.yaml"
    key_file.write_text(yaml.safe_dump(key.model_dump(), sort_keys=False, allow_unicode=True), encoding="utf-8")
    return folder, key_file


def normalised_article(comparison: Comparison, name: str) -> str:
    path = comparison.output / f"{name}.md"
    if not path.is_file():
        raise JudgeError(f"{path} does not exist. Write it with `write --system {name}`, or put it there.")
    try:
        return normalise(path.read_text(encoding="utf-8"), comparison.sources, comparison.brief.language)
    except JudgeError as error:
        raise JudgeError(f"{path}: {error}") from error


def write_sources(comparison: Comparison, folder: Path) -> None:
    (folder / "sources").mkdir()
    for source in comparison.sources:
        text = f"# {source.label}\n\n{source.text}\n"
        (folder / "sources" / f"{source.number:02}.md").write_text(text, encoding="utf-8")


def words_of(article: str) -> int:
    """Without the list of references, which is the last section of a normalised article."""
    body = article.rpartition("\n## ")[0] or article
    return ScoredText(title="", content=body, asked=0).words
