"""Prices of models, from ``config/prices.yaml`` and the file that ``PRICES_FILE`` names."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Annotated, Self

import yaml
from django.conf import settings
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from agents.costs.usage import Usage
from agents.exceptions import PricesUnreadable

DEFAULT_TABLE = Path(__file__).parents[1] / "config" / "prices.yaml"
MILLION = 1_000_000
IMAGE_TOKENS = 1568  # of an image of 1536 x 1024 in medium quality

Dollars = Annotated[Decimal, Field(ge=0)]


class StrictModel(BaseModel):
    """Unknown keys are errors: a mistyped key would be ignored otherwise."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Price(StrictModel):
    """US dollars per million tokens, or per image: ``picture`` at most, ``picture_from`` at least."""

    input: Dollars | None = None
    cached_input: Dollars | None = None
    output: Dollars | None = None
    picture: Dollars | None = None
    picture_from: Dollars | None = None

    @model_validator(mode="after")
    def priced_by_something(self) -> Self:
        if (self.input is None) != (self.output is None):
            raise ValueError("give input and output together")
        if self.input is None and self.picture is None:
            raise ValueError("give input and output, or picture")
        return self

    def of(self, usage: Usage) -> Decimal:
        """By tokens; by images if the price has no other, or the server reported no tokens."""
        tokens = usage.prompt_tokens + usage.completion_tokens
        if self.picture is not None and (self.input is None or not tokens):
            return usage.pictures * self.picture
        cached = min(usage.cached_tokens, usage.prompt_tokens)
        return self.of_tokens(usage.prompt_tokens - cached, usage.completion_tokens, cached)

    def at_most(self, prompt_tokens: int, answer_tokens: int) -> Decimal:
        """The most a call may cost: no token is cached, and an image has the highest price."""
        return self.of_tokens(prompt_tokens, answer_tokens) if self.picture is None else self.picture

    def of_one_image(self) -> tuple[Decimal, Decimal]:
        """The least and the most one image costs. A model with token prices alone is priced for medium quality."""
        most = self.of_tokens(0, IMAGE_TOKENS) if self.picture is None else self.picture
        return most if self.picture_from is None else self.picture_from, most

    def of_tokens(self, prompt: int, answer: int, cached: int = 0) -> Decimal:
        """``prompt`` does not include the ``cached`` tokens."""
        prompt_price, answer_price = self.input or Decimal(0), self.output or Decimal(0)
        cached_price = prompt_price if self.cached_input is None else self.cached_input
        return (prompt * prompt_price + cached * cached_price + answer * answer_price) / MILLION


class PriceTable(StrictModel):
    """``date`` is the day on which the prices were read from ``source``."""

    date: date
    source: Annotated[str, Field(min_length=1)]
    models: dict[str, Price]

    def of(self, model: str) -> Price | None:
        """The price of ``model``, or of its name without the date at its end; None if the table has neither."""
        return self.models.get(model) or self.models.get(re.sub(r"-\d{4}-\d{2}-\d{2}$", "", model))

    def overridden_by(self, own: PriceTable) -> PriceTable:
        """These prices, overridden by the operator's ``own``."""
        source = f"{own.source}; for other models {self.source}, {self.date}"
        return PriceTable(date=own.date, source=source, models=self.models | own.models)


def prices() -> PriceTable:
    """Raises PricesUnreadable, which names the file and the place in it."""
    return table_with(settings.PRICES_FILE)


@cache
def table_with(own: str) -> PriceTable:
    table = read_table(DEFAULT_TABLE)
    return table.overridden_by(read_table(Path(own))) if own else table


def read_table(path: Path) -> PriceTable:
    try:
        return PriceTable.model_validate(yaml.safe_load(path.read_text()))
    except (OSError, UnicodeDecodeError) as error:
        raise PricesUnreadable(f"The prices in {path} cannot be read: {error}. Check PRICES_FILE.") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f", line {mark.line + 1}" if mark else ""
        raise PricesUnreadable(f"The prices in {path}{place} are not YAML: {error}") from error
    except ValidationError as error:
        wrong = "; ".join(f"{' → '.join(map(str, e['loc'])) or 'the file'}: {e['msg']}" for e in error.errors()[:5])
        raise PricesUnreadable(f"The prices in {path} are not valid. {wrong}.") from error


def dollars(amount: Decimal) -> str:
    """``$12.30``; below a dollar with two significant digits, such as ``$0.0042``."""
    if amount >= 1 or not amount:
        return f"${amount:,.2f}"
    if amount < Decimal("0.0001"):
        return "less than $0.0001"
    return f"${amount:.{max(2, 1 - amount.adjusted())}f}"
