"""Estimates the cost of an article before it is written, from the calls of the recipe and the sizes of their prompts and answers.

Sizes are in tokens, for an English article with ten sources of about 500 words: 1.33 tokens per word. All prompts of an article
begin with its sources, which a provider serves from its cache after the first call. The sizes were compared with real runs;
``tests/agents/test_estimate.py`` compares the calls with the recipe.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from math import ceil

from agents.contract import Stage
from agents.costs.prices import Price, dollars, prices
from agents.text.length import PART_WORDS, WHOLE_WORDS, most_corrections, section_count

TOKENS_PER_WORD = 1.33

INSTRUCTIONS = 1200  # the system text, the brief and how to use the sources, with which the prompts begin
READING = 6700  # the sources, if they are not known yet
TASK = 400  # the agent and the instructions
FINDINGS, FINDING = 24, 40
GROUPS = 4  # of sources
PLANNED = 60  # a section of the plan
ADVICE = 12 * 45  # with the choice of a draft
CORRECTION = 80
VERDICT = 8  # on one of about VERDICTS sentences of a section
VERDICTS = 12
EDITED = 0.5  # share of the sections that are changed
REWORDED = 0.2  # share of the sections of which the check rewords a sentence
RESIZED = 0.1  # share of the sections whose length is corrected

LOW_FACTOR, HIGH_FACTOR = Decimal("0.7"), Decimal("1.5")
"""How far a run may be from the estimate: answers differ in length, and some calls are repeated."""


@dataclass(frozen=True)
class StageModels:
    """The model of each stage, empty for the built-in writer. ``image`` is the image model, empty for built-in covers."""

    by_stage: Mapping[Stage, str]
    image: str = ""


@dataclass(frozen=True)
class CallGroup:
    """Calls of one kind, each with this many ``prompt``, ``cached`` and ``answer`` tokens.

    ``cached`` tokens are those of the prompt's start that an earlier call had as well; ``prompt`` does not include them.
    """

    stage: Stage
    calls: float
    prompt: float
    answer: float
    cached: float = 0

    def cost(self, price: Price) -> Decimal:
        sizes = (round(self.calls * size) for size in (self.prompt, self.answer, self.cached))
        return price.of_tokens(*sizes)


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


def estimate(
    words: int, *, image: bool, seo: bool, models: StageModels, reading: int = READING, approval: bool = False
) -> Estimate:
    """``reading`` are the tokens of the sources. ``approval``: a person approves the outline, so there is no second draft."""
    if not models.by_stage:
        return Estimate(Decimal(0), Decimal(0), calls=0, tokens=0)
    groups = expected_calls(words, image=image, seo=seo, reading=reading, approval=approval)
    draws = bool(image and models.image)
    calls = ceil(sum(group.calls for group in groups)) + draws
    tokens = round(sum(group.calls * (group.prompt + group.cached + group.answer) for group in groups), -2)
    used = {models.by_stage[group.stage] for group in groups} | ({models.image} if draws else set())
    known = {model: price for model in used if (price := prices().of(model))}
    if unpriced := tuple(sorted(used - known.keys())):
        return Estimate(None, None, calls, round(tokens), unpriced)
    text = sum((group.cost(known[models.by_stage[group.stage]]) for group in groups), Decimal(0))
    least, most = known[models.image].of_one_image() if draws else (Decimal(0), Decimal(0))
    return Estimate(text * LOW_FACTOR + least, text * HIGH_FACTOR + most, calls, round(tokens))


def expected_calls(
    words: int, *, image: bool, seo: bool, reading: int = READING, approval: bool = False
) -> list[CallGroup]:
    """The calls of a run that writes an article of ``words`` words from given sources, in parts."""
    sections, start = section_count(words), INSTRUCTIONS + reading
    article = words * TOKENS_PER_WORD * 1.1  # with its citation marks and headings
    section, findings, plan = article / sections, FINDINGS * FINDING, sections * PLANNED
    text = 0.9 * words  # the rest are lead and headings
    parts = max(round(text / PART_WORDS), 1)
    part = article / parts
    groups = [
        CallGroup("research", 1, start + TASK, findings / GROUPS),
        CallGroup("research", GROUPS - 1, TASK, findings / GROUPS, start),
        CallGroup("outline", 1, TASK, 100 + plan, start),
        CallGroup("write", 1, TASK + plan, part, start),
        CallGroup("write", parts - 1, TASK, part, start + plan),
        CallGroup("edit", 1, TASK + article + findings, part / 2, start),  # findings that are not used
        CallGroup("edit", parts - 1, TASK + findings, part / 2, start + article),
        CallGroup("edit", parts, TASK + part, VERDICT * VERDICTS * sections / parts, start),
        CallGroup("edit", RESIZED * sections, TASK + section, section / 2, start + plan),
        CallGroup("edit", EDITED * sections, TASK + section / 3, 60, start),  # evidence: what the edits changed
        CallGroup("edit", REWORDED * sections, TASK, 30, start),  # evidence: what was reworded
        CallGroup("edit", 1, TASK, 60, start),  # evidence: the introduction
        CallGroup("edit", 1, TASK, 150, start),  # the check of title and headings
        CallGroup("edit", 1, TASK + article, most_corrections(words) * CORRECTION, start),  # proofreading
    ]
    if approval:
        groups.append(CallGroup("edit", 1, TASK, 60, start))  # the check of the answer
    elif words <= WHOLE_WORDS:
        groups += [CallGroup("write", 1, TASK, article, start), CallGroup("edit", 1, TASK + 2 * article, ADVICE, start)]
    if seo:
        groups += [CallGroup("seo", 2, TASK + article, 200), CallGroup("seo", 0.5, TASK + plan, 150)]
    if image:
        groups.append(CallGroup("image", 1, TASK + plan, 120))
    return groups
