"""The price table: the price of a model, the cost of usage, and errors in the operator's table."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from django.apps import apps
from pytest_django import Settings

from agents.costs.prices import Price, dollars, prices
from agents.costs.usage import Usage
from agents.exceptions import PricesUnreadable

USED = Usage(calls=1, prompt_tokens=1_000_000, completion_tokens=100_000, cached_tokens=400_000)

OWN = """
date: 2026-01-15
source: our own server
models:
  llama-local: {input: 0, output: 0}
  gpt-4o: {input: 1, output: 1}
"""


def own_prices(settings: Settings, tmp_path: Path, text: str) -> Path:
    path = tmp_path / "own.yaml"
    path.write_text(text)
    settings.PRICES_FILE = str(path)
    return path


def cost_of(usage: Usage, model: str) -> Decimal:
    price = prices().of(model)
    assert price is not None
    return price.of(usage)


class TestTheTable:
    def test_it_has_a_date_and_a_source(self) -> None:
        table = prices()
        assert table.date.year >= 2025
        assert "OpenAI" in table.source

    @pytest.mark.parametrize("model", ["gpt-4o", "gpt-4o-mini", "gpt-4.1", "o3", "gpt-5", "gpt-image-1", "dall-e-3"])
    def test_it_has_the_common_models(self, model: str) -> None:
        assert prices().of(model)

    def test_cached_tokens_never_cost_more_than_others(self) -> None:
        for name, price in prices().models.items():
            if price.cached_input is not None:
                assert price.input is not None, name
                assert price.cached_input <= price.input, name

    def test_a_dated_name_has_the_price_of_the_name_without_its_date(self) -> None:
        assert prices().of("gpt-4o-2024-08-06") == prices().of("gpt-4o")
        assert prices().of("gpt-4o-mini-2024-07-18") == prices().of("gpt-4o-mini")

    def test_a_dated_name_can_have_its_own_price(self) -> None:
        assert prices().of("gpt-4o-2024-05-13") != prices().of("gpt-4o")

    @pytest.mark.parametrize(
        "model", ["", "llama3.1", "gpt-4o-audio-preview", "ft:gpt-4o-2024-08-06:us::1", "gpt-4-0613"]
    )
    def test_a_similar_name_has_no_price(self, model: str) -> None:
        assert prices().of(model) is None


class TestCosts:
    def test_prompt_cached_and_answer_tokens_have_their_own_prices(self) -> None:
        assert cost_of(USED, "gpt-4o") == Decimal("0.6") * Decimal("2.5") + Decimal("0.4") * Decimal("1.25") + 1

    def test_cached_tokens_without_a_price_cost_as_much_as_others(self) -> None:
        assert cost_of(USED, "gpt-4-turbo") == 10 + 3

    def test_more_cached_tokens_than_tokens_do_not_reduce_the_cost(self) -> None:
        odd = Usage(calls=1, prompt_tokens=10, cached_tokens=10_000)
        assert cost_of(odd, "gpt-4o") == 10 * Decimal("1.25") / 1_000_000

    def test_images_are_priced_by_tokens_if_the_server_reports_them(self) -> None:
        usage = Usage(calls=1, pictures=1, prompt_tokens=100, completion_tokens=6208)
        assert cost_of(usage, "gpt-image-1") == Decimal("0.24882")

    def test_images_without_tokens_are_priced_per_image(self) -> None:
        assert cost_of(Usage(calls=1, pictures=1), "gpt-image-1") == Decimal("0.25")
        assert cost_of(Usage(calls=1, pictures=1), "dall-e-3") == Decimal("0.08")

    def test_a_call_without_an_image_costs_nothing(self) -> None:
        assert cost_of(Usage(calls=1), "dall-e-3") == 0

    def test_the_most_a_call_may_cost_assumes_no_cache_and_the_dearest_image(self) -> None:
        text, picture = prices().of("gpt-4o"), prices().of("gpt-image-1")
        assert text is not None
        assert text.at_most(1_000_000, 1_000_000) == Decimal("12.5")
        assert picture is not None
        assert picture.at_most(100, 1500) == Decimal("0.25")


class TestOwnPrices:
    def test_they_override_single_models(self, settings: Settings, tmp_path: Path) -> None:
        own_prices(settings, tmp_path, OWN)
        assert cost_of(USED, "llama-local") == 0
        assert cost_of(USED, "gpt-4o") == Decimal("1.1")
        assert prices().of("gpt-4o-mini")
        assert prices().source.startswith("our own server; for other models OpenAI")

    def test_a_missing_file_is_named(self, settings: Settings) -> None:
        settings.PRICES_FILE = "/nowhere/prices.yaml"
        with pytest.raises(PricesUnreadable, match=r"/nowhere/prices\.yaml cannot be read.*Check PRICES_FILE"):
            prices()

    def test_the_server_does_not_start_without_the_file(self, settings: Settings) -> None:
        settings.PRICES_FILE = "/nowhere/prices.yaml"
        with pytest.raises(PricesUnreadable):
            apps.get_app_config("articles").ready()

    def test_invalid_yaml_is_reported_with_its_line(self, settings: Settings, tmp_path: Path) -> None:
        path = own_prices(settings, tmp_path, "date: 2026-01-15\nsource: [ours\nmodels: {}\n")
        with pytest.raises(PricesUnreadable, match=f"{path}, line 3 are not YAML"):
            prices()

    @pytest.mark.parametrize(
        ("entry", "expected"),
        [
            ("{input: -1, output: 2}", "llama → input: Input should be greater than or equal to 0"),
            ("{input: 1}", "llama: Value error, give input and output together"),
            ("{}", "llama: Value error, give input and output, or picture"),
            ("{input: 1, output: 2, outptu: 3}", "llama → outptu: Extra inputs are not permitted"),
            ("{input: .nan, output: 2}", "llama → input: Input should be a finite number"),
            ("cheap", "llama: Input should be a valid dictionary"),
        ],
    )
    def test_invalid_prices_are_reported_with_their_key(
        self, settings: Settings, tmp_path: Path, entry: str, expected: str
    ) -> None:
        own_prices(settings, tmp_path, f"date: 2026-01-15\nsource: ours\nmodels:\n  llama: {entry}\n")
        with pytest.raises(PricesUnreadable) as error:
            prices()
        assert expected in str(error.value)

    def test_a_file_without_a_date_is_refused(self, settings: Settings, tmp_path: Path) -> None:
        own_prices(settings, tmp_path, "source: ours\nmodels: {}\n")
        with pytest.raises(PricesUnreadable, match="date: Field required"):
            prices()


class TestDollars:
    @pytest.mark.parametrize(
        ("amount", "expected"),
        [
            ("0", "$0.00"),
            ("0.00004", "less than $0.0001"),
            ("0.0042", "$0.0042"),
            ("0.0123456", "$0.012"),
            ("0.42", "$0.42"),
            ("12.3", "$12.30"),
            ("1234.5", "$1,234.50"),
        ],
    )
    def test_small_amounts_have_two_significant_digits(self, amount: str, expected: str) -> None:
        assert dollars(Decimal(amount)) == expected


def test_prices_are_immutable() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Price(input=Decimal(1), output=Decimal(1)).input = Decimal(2)
