"""What calls of models cost, by the table in ``config/prices.yaml`` and the operator's own."""

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
PICTURE_TOKENS = 1568  # of one of 1536 x 1024 in medium quality

Dollars = Annotated[Decimal, Field(ge=0)]


class StrictModel(BaseModel):
    """A mistyped key is refused: what it was meant to say would be lost silently."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Price(StrictModel):
    """US dollars for a million tokens, or for a picture: ``picture`` at most, ``picture_from`` at least."""

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
        """What ``usage`` cost: by its tokens, else, as some servers of pictures tell none, by its pictures."""
        told = usage.prompt_tokens + usage.completion_tokens
        if self.picture is not None and (self.input is None or not told):
            return usage.pictures * self.picture
        cached = min(usage.cached_tokens, usage.prompt_tokens)
        return self.of_tokens(usage.prompt_tokens - cached, usage.completion_tokens, cached)

    def at_most(self, prompt_tokens: int, answer_tokens: int) -> Decimal:
        """What a call that was not made yet may cost: no token of it may be cached, and a picture may be of the dearest kind."""
        return self.of_tokens(prompt_tokens, answer_tokens) if self.picture is None else self.picture

    def of_a_picture(self) -> tuple[Decimal, Decimal]:
        """The least and the most one picture costs; of a model with prices for tokens alone, by a picture of medium quality."""
        most = self.of_tokens(0, PICTURE_TOKENS) if self.picture is None else self.picture
        return most if self.picture_from is None else self.picture_from, most

    def of_tokens(self, fresh: int, answered: int, cached: int = 0) -> Decimal:
        fresh_price, answer_price = self.input or Decimal(0), self.output or Decimal(0)
        cached_price = fresh_price if self.cached_input is None else self.cached_input
        return (fresh * fresh_price + cached * cached_price + answered * answer_price) / MILLION


class PriceTable(StrictModel):
    """``date`` is the day on which the prices were looked up at ``source``."""

    date: date
    source: Annotated[str, Field(min_length=1)]
    models: dict[str, Price]

    def of(self, model: str) -> Price | None:
        """The price of ``model``, also under its name without the date at its end; None where it is not known."""
        return self.models.get(model) or self.models.get(re.sub(r"-\d{4}-\d{2}-\d{2}$", "", model))

    def under(self, own: PriceTable) -> PriceTable:
        """These prices, with the operator's ``own`` in front."""
        source = f"{own.source}; for other models {self.source}, {self.date}"
        return PriceTable(date=own.date, source=source, models=self.models | own.models)


def prices() -> PriceTable:
    """The prices in force. Raises PricesUnreadable, which names file and place."""
    return table_with(settings.PRICES_FILE)


@cache
def table_with(own: str) -> PriceTable:
    table = read_table(DEFAULT_TABLE)
    return table.under(read_table(Path(own))) if own else table


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
        raise PricesUnreadable(f"The prices in {path} are not as they should be. {wrong}.") from error


def cost_of(usage: Usage, model: str) -> Decimal | None:
    """US dollars, unrounded; None where the table lacks ``model``: that is not known, and not nothing."""
    price = prices().of(model)
    return price.of(usage) if price else None


def dollars(amount: Decimal) -> str:
    """``$12.30``; below a dollar with two digits that count, ``$0.0042``, as articles often cost cents."""
    if amount >= 1 or not amount:
        return f"${amount:,.2f}"
    if amount < Decimal("0.0001"):
        return "less than $0.0001"
    return f"${amount:.{max(2, 1 - amount.adjusted())}f}"
