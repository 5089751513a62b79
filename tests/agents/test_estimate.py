"""The estimated cost of an article. test_costs_of_runs compares it with real runs."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from dataclasses import replace
from decimal import Decimal

import pytest

from agents.contract import AGENTS, Stage
from agents.costs.estimate import Estimate, StageModels, estimate, expected_calls
from agents.costs.prices import prices
from agents.crew.crew import StudioCrew
from agents.pipeline.recipe import produce
from agents.prompts import config
from agents.text.length import WHOLE_WORDS
from tests.agents.recipes import BRIEF, MemoryJournal, dependencies
from tests.agents.test_finding import several
from tests.model_server import ModelServer


def common_start(one: str, other: str) -> int:
    """The number of characters that both begin with."""
    return bisect_left(range(min(len(one), len(other))), True, key=lambda at: one[: at + 1] != other[: at + 1])


def models(text: str, image: str = "") -> StageModels:
    return StageModels(dict.fromkeys(AGENTS, text), image)


def of(words: int = 1000, image: bool = False, seo: bool = False, **given: str) -> Estimate:
    return estimate(words, image=image, seo=seo, models=models(given.get("text", "gpt-4o"), given.get("draws", "")))


@pytest.mark.parametrize("words", [600, 1000, 2000])
async def test_it_has_the_calls_that_the_recipe_makes(crew: StudioCrew, model_server: ModelServer, words: int) -> None:
    """With ten sources: as many calls of each stage, give or take what depends on the text."""
    model_server.choices.add("supported")
    brief = BRIEF.model_copy(update={"min_words": words, "include_image": False})
    await produce(brief, MemoryJournal(), dependencies(crew, several(10)))
    roles = {config("agents")[agent]["role"]: stage for stage, agent in AGENTS.items()}
    made = Counter(
        next(stage for role, stage in roles.items() if f"ROLE\n{role}." in call.prompt) for call in model_server.calls
    )
    expected: Counter[Stage] = Counter()
    for group in expected_calls(words, image=False, seo=True):
        expected[group.stage] += group.calls  # type: ignore[assignment]  # of some calls there is a part
    assert expected["research"] == made["research"]
    assert expected["outline"] == made["outline"]
    for stage in ("write", "edit", "seo"):
        assert made[stage] == pytest.approx(expected[stage], rel=0.45), stage


def test_an_outline_to_approve_and_a_long_article_have_no_second_draft() -> None:
    def drafts(words: int, **options: bool) -> float:
        groups = expected_calls(words, image=False, seo=False, **options)
        return sum(group.calls * group.answer for group in groups if group.stage == "write")

    assert drafts(1000) == 2 * drafts(1000, approval=True)
    assert drafts(WHOLE_WORDS + 1) == pytest.approx(drafts(WHOLE_WORDS) / 2, rel=0.01)


async def test_most_of_a_prompt_is_the_start_that_is_cached(crew: StudioCrew, model_server: ModelServer) -> None:
    """The estimate counts as cached what an earlier prompt began with as well."""
    brief = BRIEF.model_copy(update={"include_image": False, "seo_optimize": False, "min_words": 1000})
    text = "The city counted planted roofs and measured how much of the rain of a summer night they hold. " * 3
    await produce(brief, MemoryJournal(), dependencies(crew, several(10, text=text)))
    sent = [call.prompt for call in model_server.calls]
    shared = sum(max((common_start(prompt, other) for other in sent[:at]), default=0) for at, prompt in enumerate(sent))
    groups = expected_calls(1000, image=False, seo=False)
    cached = sum(group.calls * group.cached for group in groups)
    share = cached / (cached + sum(group.calls * group.prompt for group in groups))
    assert shared / sum(map(len, sent)) == pytest.approx(share, abs=0.1)


def test_longer_articles_cost_more() -> None:
    costs = [high for words in (300, 1000, 3000, 5000) if (high := of(words).high)]
    assert len(costs) == 4
    assert costs == sorted(costs)


def test_it_is_a_range_around_the_cost_of_its_tokens() -> None:
    made = of()
    assert made.low is not None
    assert made.high is not None
    price = prices().of("gpt-4o")
    assert price
    exact = sum(group.cost(price) for group in expected_calls(1000, image=False, seo=False))
    assert made.low < exact < made.high


def test_cached_tokens_make_it_cheaper() -> None:
    price = prices().of("gpt-4o")
    assert price
    groups = expected_calls(1000, image=False, seo=False)
    uncached = [replace(group, prompt=group.prompt + group.cached, cached=0) for group in groups]
    assert sum(group.cost(price) for group in groups) < Decimal("0.8") * sum(group.cost(price) for group in uncached)


def test_an_image_and_seo_add_to_it() -> None:
    plain, both = of(), of(image=True, seo=True, draws="dall-e-3")
    assert plain.low is not None
    assert both.low is not None
    assert both.low > plain.low + Decimal("0.08")
    assert both.calls > plain.calls + 2


def test_an_image_of_unknown_quality_ranges_from_the_cheapest_to_the_dearest() -> None:
    plain, drawn = of(text="gpt-4.1-nano"), of(text="gpt-4.1-nano", image=True, draws="gpt-image-1")
    assert None not in (plain.low, plain.high, drawn.low, drawn.high)
    assert Decimal("0.016") < drawn.low - plain.low < Decimal("0.02")  # type: ignore[operator]  # neither is None
    assert Decimal("0.25") < drawn.high - plain.high < Decimal("0.26")  # type: ignore[operator]


def test_a_built_in_cover_needs_no_image_model() -> None:
    assert of(image=True).calls == of().calls + 1, "the call for its description"


def test_each_stage_has_the_price_of_its_own_model() -> None:
    mixed = StageModels(dict.fromkeys(AGENTS, "gpt-4.1-nano") | {"write": "gpt-4o"})
    made = estimate(1000, image=False, seo=False, models=mixed)
    cheap, dear = of(text="gpt-4.1-nano"), of(text="gpt-4o")
    assert None not in (made.low, cheap.low, dear.low)
    assert cheap.low < made.low < dear.low  # type: ignore[operator]  # none is None


def test_a_model_without_a_price_makes_it_unknown() -> None:
    made = of(text="llama3.1", image=True, draws="flux")
    assert (made.low, made.high, made.unpriced) == (None, None, ("flux", "llama3.1"))
    assert made.message.startswith("Unknown: no price is set for flux and llama3.1. About ")


def test_a_stage_that_is_not_requested_needs_no_price() -> None:
    seo_without_price = StageModels(dict.fromkeys(AGENTS, "gpt-4o") | {"seo": "llama3.1"})
    assert estimate(1000, image=False, seo=False, models=seo_without_price).unpriced == ()


def test_without_a_model_it_is_free() -> None:
    made = estimate(1000, image=True, seo=True, models=StageModels({}))
    assert (made.low, made.high, made.calls) == (Decimal(0), Decimal(0), 0)
    assert made.message == "Free: the built-in writer makes no AI calls."


def test_its_message_is_one_sentence() -> None:
    message = Estimate(Decimal("0.0212"), Decimal("0.051"), 38, 41_200).message
    assert message == "About $0.021 to $0.051: 38 calls and 41,200 tokens."
    assert Estimate(Decimal(0), Decimal(0), 38, 41_200).message.startswith("Free by the price table")
