"""Types of text that people send: cleaned first, then checked."""

from __future__ import annotations

import re
import unicodedata
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

NOT_TEXT = re.compile("[\0\ud800-\udfff]")
CONTROL = re.compile(
    "[\x01-\x08\x0b\x0c\x0e-\x1f\x7f]"
)  # common in text copied from PDFs and terminals; invalid in XML
LANGUAGE_TAG = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*")


def clean_markdown(value: Any) -> Any:
    """Normalizes line ends to LF and replaces control characters. Raises ValueError for NUL and lone surrogates."""
    if not isinstance(value, str):
        return value
    if NOT_TEXT.search(value):
        raise ValueError("contains a NUL character or half a surrogate pair, which is not text")
    return CONTROL.sub(" ", value.replace("\r\n", "\n").replace("\r", "\n"))


def clean_text(value: Any) -> Any:
    """``clean_markdown`` without surrounding white space."""
    value = clean_markdown(value)
    return value.strip() if isinstance(value, str) else value


def clean_line(value: Any) -> Any:
    """``clean_text`` on one line, with single spaces."""
    value = clean_text(value)
    return " ".join(value.split()) if isinstance(value, str) else value


def not_only_punctuation(value: str) -> str:
    """Letters, digits and symbols (emoji) count; punctuation, spaces and zero-width characters do not."""
    if not any(unicodedata.category(character)[0] in "LNS" for character in value):
        raise ValueError("contains no letter or digit")
    return value


def language_tag(value: str) -> str:
    if not LANGUAGE_TAG.fullmatch(value):
        raise ValueError("should be a BCP 47 tag, such as en or pt-BR")
    return value


# In an Annotated the cleaner comes last: it wraps what precedes it, so limits apply to the cleaned text.
Line = BeforeValidator(clean_line)
Prose = BeforeValidator(clean_text)

LanguageTag = Annotated[
    str, Field(max_length=35, description="A BCP 47 tag, such as en or pt-BR"), AfterValidator(language_tag), Line
]
