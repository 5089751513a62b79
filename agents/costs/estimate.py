"""Estimates the cost of an article before it is written, from the calls of the recipe and the sizes of their prompts and answers.

Sizes are in tokens, for an English article with enough sources: 1.33 tokens per word, passages of about 140 words. They were
compared with real runs; ``tests/agents/test_estimate.py`` compares them with the recipe.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from math import ceil

from agents.contract import Stage
from agents.costs.prices import Price, dollars, prices

TOKENS_PER_WORD = 1.33
SECTION_WORDS = 190

TASK = 350  # the agent, the brief and the instructions
PASSAGE = 200
FINDING = 35
HEADING, PLANNED = 12, 40  # a line of the outline: the heading alone, and with the purpose
QUESTIONS, FINDINGS = 4, 8
CHOSEN_FROM = 10  # passages in the prompt that answers a question or plans a section
FOR_A_SECTION = 6  # passages in the prompt that writes a section
MAX_EDITED = 3  # sections
WRITTEN_AGAIN = 0.2  # share of the sections that miss their length

LOW_FACTOR, HIGH_FACTOR = Decimal("0.7"), Decimal("1.5")
"""How far a run may be from the estimate: answers differ in length, and some calls are repeated."""


@dataclass(frozen=True)
class StageModels:
    """The model of each stage, empty for the built-in writer. ``image`` is the image model, empty for built-in covers."""

    by_stage: Mapping[Stage, str]
    image: str = ""


@dataclass(frozen=True)
class CallGroup:
    """Calls of one kind, each with this many ``prompt`` and ``answer`` tokens."""

    stage: Stage
    calls: float
    prompt: float
    answer: float

    def cost(self, price: Price) -> Decimal:
        return price.of_tokens(round(self.calls * self.prompt), round(self.calls * self.answer))


@dataclass(frozen=True)
class Estimate:
    """``low`` and ``high`` are US dollars, or None if there are ``unpriced`` models."""

    low: Decimal | None
    high: Decimal | None
    calls: int
    tokens: int
    unpriced: tuple[str, ...] = ()

    @property
    def message(self) -> str:
        if not self.calls:
            return "Free: the built-in writer makes no AI calls."
        size = f"{self.calls} calls and {self.tokens:,} tokens"
        if self.low is None or self.high is None:
            return f"Unknown: no price is set for {' and '.join(self.unpriced)}. About {size}."
        if not self.high:
            return f"Free by the price table: about {size}."
        return f"About {dollars(self.low)} to {dollars(self.high)}: {size}."


def estimate(words: int, *, image: bool, seo: bool, models: StageModels) -> Estimate:
    if not models.by_stage:
        return Estimate(Decimal(0), Decimal(0), calls=0, tokens=0)
    groups = expected_calls(words, image=image, seo=seo)
    draws = bool(image and models.image)
    calls = ceil(sum(group.calls for group in groups)) + draws
    tokens = round(sum(group.calls * (group.prompt + group.answer) for group in groups), -2)
    used = {models.by_stage[group.stage] for group in groups} | ({models.image} if draws else set())
    known = {model: price for model in used if (price := prices().of(model))}
    if unpriced := tuple(sorted(used - known.keys())):
        return Estimate(None, None, calls, round(tokens), unpriced)
    text = sum((group.cost(known[models.by_stage[group.stage]]) for group in groups), Decimal(0))
    least, most = known[models.image].of_one_image() if draws else (Decimal(0), Decimal(0))
    return Estimate(text * LOW_FACTOR + least, text * HIGH_FACTOR + most, calls, round(tokens))


def expected_calls(words: int, *, image: bool, seo: bool) -> list[CallGroup]:
    """The calls of a run that writes an article of ``words`` words."""
    sections = max(round(words / SECTION_WORDS), 2)
    article = words * TOKENS_PER_WORD * 1.1  # with its citation marks and headings
    section = article / sections
    findings, outline = FINDINGS * FINDING, sections * PLANNED
    choice, passages = CHOSEN_FROM * PASSAGE, FOR_A_SECTION * PASSAGE
    groups = [
        CallGroup("research", 1, TASK, 100),
        CallGroup("research", QUESTIONS, TASK + choice, FINDINGS / QUESTIONS * FINDING),
        CallGroup("research", 1, TASK + findings, 130),
        CallGroup("outline", 1, TASK + findings, 20 + sections * HEADING),
        CallGroup("outline", sections, TASK + findings + sections * HEADING + choice, 120),
        CallGroup("write", sections, TASK + outline + passages, section),
        CallGroup("write", sections * WRITTEN_AGAIN, TASK + outline + passages + section, section),
        CallGroup("edit", 1, TASK + article, 120),
        CallGroup("edit", min(MAX_EDITED, sections), TASK + outline + passages + section, section),
        CallGroup("edit", sections, TASK + section + passages, 80),  # evidence: a verdict on each cited sentence
        # Evidence: some sentences are reworded and checked again.
        CallGroup("edit", sections / 2, TASK + section / 2 + passages / 2, 80),
    ]
    if seo:
        groups += [CallGroup("seo", 2, TASK + article, 200), CallGroup("seo", 0.5, TASK + outline, 150)]
    if image:
        groups.append(CallGroup("image", 1, TASK + outline, 120))
    return groups
