"""Turns pydantic's validation errors into messages for the fields of a form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from articles.exceptions import InvalidInput

MESSAGES = {
    "missing": "This field is required.",
    "string_too_short": "Use at least {min_length:,} characters.",
    "string_too_long": "Use at most {max_length:,} characters.",
    "too_long": "Use at most {max_length:,} {field}.",
    "greater_than_equal": "Use {ge:,} or more.",
    "less_than_equal": "Use {le:,} or less.",
}
"""By pydantic's error type. Other types keep pydantic's own message."""


class Input(BaseModel):
    """Base of what the services take from people."""

    @classmethod
    def parse(cls, values: Mapping[str, Any]) -> Self:
        """Raises InvalidInput."""
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise InvalidInput(messages_by_field(error)) from error


def messages_by_field(error: ValidationError) -> dict[str, list[str]]:
    """Such as ``{"keywords": ["Item 3: Use at most 100 characters."]}``. The key of errors in no field is empty."""
    messages: dict[str, list[str]] = {}
    for details in error.errors(include_url=False):
        location = details["loc"]
        item = f"Item {location[1] + 1}: " if len(location) > 1 and isinstance(location[1], int) else ""
        messages.setdefault(str(location[0]) if location else "", []).append(item + message_of(details))
    return messages


def message_of(details: ErrorDetails) -> str:
    limits = details.get("ctx", {})
    if limits.get("min_length") == 1:
        return MESSAGES["missing"]
    if template := MESSAGES.get(details["type"]):
        return template.format(field=details["loc"][0], **limits)
    text = details["msg"].removeprefix("Value error, ")
    return f"{text[:1].upper()}{text[1:]}."
