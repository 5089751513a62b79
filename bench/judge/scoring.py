"""Reads the verdicts of judges and adds them up."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from bench.judge.blind_folder import ORDERS, Key
from bench.judge.comparison import JudgeError, parse

Score = Annotated[float, Field(ge=0, le=10)]
CLAIMS = 15
HIGHEST_TOTAL = 80


class Form(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Claim(Form):
    claim: str = Field(min_length=1)
    verdict: Literal["supported", "partly", "unsupported"]
    note: str = ""


class Scores(Form):
    usefulness: Score
    structure: Score
    faithfulness: Score
    citations: Score
    language: Score
    length: Score
    coverage: Score
    disagreement: Score

    @property
    def total(self) -> float:
        return float(sum(self.model_dump().values()))


class ArticleVerdict(Form):
    scores: Scores
    publish: bool
    claims: list[Claim] = Field(min_length=CLAIMS)

    def count(self, verdict: str) -> int:
        return sum(claim.verdict == verdict for claim in self.claims)


class ArticleVerdicts(Form):
    A: ArticleVerdict
    B: ArticleVerdict


class Verdict(Form):
    """The answer of a judge for one order of two articles."""

    judge: str = Field(min_length=1)
    overall: Literal["A", "B", "tie"]
    reason: str = ""
    articles: ArticleVerdicts


@dataclass(frozen=True)
class Judged:
    """A verdict with the names of the systems. ``winner`` is empty for a tie."""

    comparison: str
    judge: str
    order: str
    winner: str
    reason: str
    articles: dict[str, ArticleVerdict]

    @property
    def pair(self) -> tuple[str, ...]:
        return tuple(sorted(self.articles))


def read_judged(folders: Iterable[Path]) -> list[Judged]:
    """The verdicts on all blind folders of these comparisons. Raises JudgeError if there is none, or an invalid one."""
    judged: list[Judged] = []
    missing: list[str] = []
    for comparison in folders:
        for key_file in sorted((comparison / "keys").glob("[0-9]*.yaml")):
            key = parse(Key, key_file.read_text(encoding="utf-8"), key_file)
            for order in ORDERS:
                files = sorted((Path(key.folder) / order).glob("verdict*.yaml"))
                judged += [read_verdict(path, key, order) for path in files]
                if not files:
                    missing.append(f"{key.folder}/{order}")
    if not judged:
        raise JudgeError(f"No verdict.yaml in {', '.join(missing) or 'any blind folder: prepare one with `blind`'}.")
    return judged


def read_verdict(path: Path, key: Key, order: str) -> Judged:
    verdict = parse(Verdict, path.read_text(encoding="utf-8"), path)
    systems = key.articles[order]
    articles = {systems["A"]: verdict.articles.A, systems["B"]: verdict.articles.B}
    return Judged(key.comparison, verdict.judge, order, systems.get(verdict.overall, ""), verdict.reason, articles)


def score_table(judged: Sequence[Judged]) -> str:
    """Markdown: the result of each pair of systems, then every verdict."""
    by_pair: dict[tuple[str, ...], list[Judged]] = defaultdict(list)
    for one in judged:
        by_pair[one.pair].append(one)
    parts = [pair_table(pair, verdicts) for pair, verdicts in sorted(by_pair.items())]
    return "\n\n".join(parts) + "\n"


def pair_table(pair: Sequence[str], judged: Sequence[Judged]) -> str:
    ties = sum(not one.winner for one in judged)
    lines = [
        f"### {pair[0]} and {pair[1]}",
        "",
        f"| | verdicts won | mean score of {HIGHEST_TOTAL} | supported / partly / unsupported | would publish |",
        "|---|---:|---:|---:|---:|",
    ]
    for system in pair:
        articles = [one.articles[system] for one in judged]
        won = sum(one.winner == system for one in judged)
        lines.append(
            f"| {system} | {won} of {len(judged)} ({won / len(judged):.0%}) | {mean(a.scores.total for a in articles):.1f}"
            f" | {claims(articles)} | {sum(a.publish for a in articles)} of {len(judged)} |"
        )
    lines += ["", f"Ties: {ties}. {changed_judges(judged)}", ""]
    lines += [
        f"| comparison | judge | order | better | {pair[0]} | {pair[1]} | claims {pair[0]} | claims {pair[1]} | reason |",
        "|---|---|---|---|---:|---:|---:|---:|---|",
    ]
    for one in sorted(judged, key=lambda one: (one.comparison, one.judge, one.order)):
        totals = " | ".join(f"{one.articles[system].scores.total:g}" for system in pair)
        counts = " | ".join(claims([one.articles[system]]) for system in pair)
        reason = " ".join(one.reason.split()).replace("|", r"\|")
        head = f"{one.comparison} | {one.judge} | {one.order} | {one.winner or 'tie'}"
        lines.append(f"| {head} | {totals} | {counts} | {reason} |")
    return "\n".join(lines)


def claims(articles: Sequence[ArticleVerdict]) -> str:
    verdicts = ("supported", "partly", "unsupported")
    return " / ".join(str(sum(article.count(verdict) for article in articles)) for verdict in verdicts)


def changed_judges(judged: Sequence[Judged]) -> str:
    """How many judges preferred another article when they read them in the other order."""
    winners: dict[tuple[str, str], list[str]] = defaultdict(list)
    for one in judged:
        winners[one.comparison, one.judge].append(one.winner)
    both = [found for found in winners.values() if len(found) > 1]
    changed = sum(len(set(found)) > 1 for found in both)
    return f"Judges who read both orders: {len(both)}; with another verdict in the other order: {changed}."
