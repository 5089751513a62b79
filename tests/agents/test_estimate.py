"""The estimated cost of an article. test_costs_of_runs compares it with real runs."""

from __future__ import annotations

from decimal import Decimal

import pytest

from agents.contract import AGENTS, Brief
from agents.costs.estimate import Estimate, StageModels, estimate, expected_calls
from agents.pipeline.edit import REMARKS
from agents.pipeline.research import QUESTIONS
from agents.text.manuscript import section_count


def models(text: str, image: str = "") -> StageModels:
    return StageModels(dict.fromkeys(AGENTS, text), image)


def of(words: int = 1000, image: bool = False, seo: bool = False, **given: str) -> Estimate:
    return estimate(words, image=image, seo=seo, models=models(given.get("text", "gpt-4o"), given.get("draws", "")))


@pytest.mark.parametrize("words", [300, 500, 1000, 3000, 5000])
def test_it_uses_the_sections_and_questions_of_the_recipe(words: int) -> None:
    calls = [group.calls for group in expected_calls(words, image=False, seo=False)]
    sections = section_count(Brief(topic="Roofs", min_words=words))
    assert QUESTIONS in calls
    assert calls.count(sections) >= 3, "each is planned, written and checked"
    assert min(REMARKS, sections) in calls


def test_longer_articles_cost_more() -> None:
    costs = [of(words).high for words in (300, 1000, 3000, 5000)]
    assert costs == sorted(costs)


def test_it_is_a_range_around_the_cost_of_its_tokens() -> None:
    made = of()
    assert made.low is not None
    assert made.high is not None
    assert made.low < made.tokens * Decimal("2.5") / 1_000_000 < made.high


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
    assert (made.low, made.high, made.calls) == (0, 0, 0)
    assert made.message == "Free: the built-in writer makes no AI calls."


def test_its_message_is_one_sentence() -> None:
    message = Estimate(Decimal("0.0212"), Decimal("0.051"), 38, 41_200).message
    assert message == "About $0.021 to $0.051: 38 calls and 41,200 tokens."
    assert Estimate(Decimal(0), Decimal(0), 38, 41_200).message.startswith("Free by the price table")
