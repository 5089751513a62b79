"""The words of the list of references in the language of the article, from ``config/references.yaml``."""

from __future__ import annotations

from functools import lru_cache

from pydantic import BaseModel, ConfigDict

from agents.prompts import config
from agents.text.locales import entry_for


class ReferenceWords(BaseModel):
    """``{}`` in a text stands for a number, a list of pages or a date; see the file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    heading: str
    page: str
    pages: str
    accessed: str
    given: str
    untitled: str
    reference: str
    back: str
    comma: str = ", "
    stop: str = ". "


@lru_cache(maxsize=64)
def reference_words(language: str) -> ReferenceWords:
    """``language`` is a BCP 47 tag. A language that the file does not have gets the English words."""
    table = config("references")
    return ReferenceWords.model_validate(entry_for(language, table, table["en"]))
