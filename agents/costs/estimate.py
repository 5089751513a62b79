"""What an article will cost, told before it is written: the recipe's calls with the size of their prompts and answers.

Sizes are in tokens, of an article in English with enough to read: 1.33 tokens a word, passages of about 140 words. They were
held against real runs; ``tests/agents/test_estimate.py`` holds them to the recipe.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from math import ceil

from agents.contract import Stage
from agents.costs.prices import Price, dollars, prices

TOKENS_PER_WORD = 1.33
SECTION_WORDS = 190  # words

TASK = 350  # who the agent is, the brief, and what is asked
PASSAGE = 200
FINDING = 35
HEADING, PLANNED = 12, 40  # a line of the outline: the heading alone, and with its purpose
QUESTIONS, FINDINGS = 4, 8
CHOSEN_FROM = 10  # passages a question is answered from, and a section planned with
FOR_A_SECTION = 6  # passages a section rests on
MENDED = 3  # sections at most
WRITTEN_AGAIN = 0.2  # of the sections, for their length

LOW_FACTOR, HIGH_FACTOR = Decimal("0.7"), Decimal("1.5")
"""How far a run may be from the estimate: answers differ in length, and some are asked for again."""


@dataclass(frozen=True)
class StageModels:
    """The model of each stage, empty for the built-in writer; ``image`` draws, empty where the studio sets covers itself."""

    by_stage: Mapping[Stage, str]
    image: str = ""


@dataclass(frozen=True)
class CallGroup:
    """``calls`` of one kind, of ``prompt`` and ``answer`` tokens each."""

    stage: Stage
    calls: float
    prompt: float
    answer: float

    def cost(self, price: Price) -> Decimal:
        return price.of_tokens(round(self.calls * self.prompt), round(self.calls * self.answer))


@dataclass(frozen=True)
class Estimate:
    """``low`` and ``high`` in US dollars, None where a model has no price; those are ``unpriced``."""

    low: Decimal | None
    high: Decimal | None
    calls: int
    tokens: int
    unpriced: tuple[str, ...] = ()

    @property
    def message(self) -> str:
        if not self.calls:
            return "Free: the built-in writer asks no model."
        size = f"{self.calls} calls and {self.tokens:,} tokens"
        if self.low is None or self.high is None:
            return f"Unknown: there is no price for {' and '.join(self.unpriced)}. About {size}."
        if not self.high:
            return f"Nothing, by the table of prices: about {size}."
        return f"About {dollars(self.low)} to {dollars(self.high)}: {size}."


def estimate(words: int, *, image: bool, seo: bool, models: StageModels) -> Estimate:
    """The estimate for an article of ``words`` words."""
    if not models.by_stage:
        return Estimate(Decimal(0), Decimal(0), calls=0, tokens=0)
    asked = expected_calls(words, image=image, seo=seo)
    draws = bool(image and models.image)
    calls = ceil(sum(part.calls for part in asked)) + draws
    tokens = round(sum(part.calls * (part.prompt + part.answer) for part in asked), -2)
    used = {models.by_stage[part.stage] for part in asked} | ({models.image} if draws else set())
    found = {model: price for model in used if (price := prices().of(model))}
    if unpriced := tuple(sorted(used - found.keys())):
        return Estimate(None, None, calls, round(tokens), unpriced)
    text = sum((part.cost(found[models.by_stage[part.stage]]) for part in asked), Decimal(0))
    least, most = found[models.image].of_a_picture() if draws else (Decimal(0), Decimal(0))
    return Estimate(text * LOW_FACTOR + least, text * HIGH_FACTOR + most, calls, round(tokens))


def expected_calls(words: int, *, image: bool, seo: bool) -> list[CallGroup]:
    """The calls that make an article of ``words`` words."""
    sections = max(round(words / SECTION_WORDS), 2)
    article = words * TOKENS_PER_WORD * 1.1  # with its marks and headings
    section = article / sections
    findings, outline = FINDINGS * FINDING, sections * PLANNED
    choice, passages = CHOSEN_FROM * PASSAGE, FOR_A_SECTION * PASSAGE
    asked = [
        CallGroup("research", 1, TASK, 100),
        CallGroup("research", QUESTIONS, TASK + choice, FINDINGS / QUESTIONS * FINDING),
        CallGroup("research", 1, TASK + findings, 130),
        CallGroup("outline", 1, TASK + findings, 20 + sections * HEADING),
        CallGroup("outline", sections, TASK + findings + sections * HEADING + choice, 120),
        CallGroup("write", sections, TASK + outline + passages, section),
        CallGroup("write", sections * WRITTEN_AGAIN, TASK + outline + passages + section, section),
        CallGroup("edit", 1, TASK + article, 120),
        CallGroup("edit", min(MENDED, sections), TASK + outline + passages + section, section),
        CallGroup("edit", sections, TASK + section + passages, 80),  # the evidence: a verdict on each cited sentence
        CallGroup(
            "edit", sections / 2, TASK + section / 2 + passages / 2, 80
        ),  # some are worded anew, and judged again
    ]
    if seo:
        asked += [CallGroup("seo", 2, TASK + article, 200), CallGroup("seo", 0.5, TASK + outline, 150)]
    if image:
        asked.append(CallGroup("image", 1, TASK + outline, 120))
    return asked
