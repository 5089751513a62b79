"""What was read: sources, and the passages that can be cited."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Literal

from agents.contract.base import StoredModel


class SearchResult(StoredModel):
    """A page found by a search provider. It becomes a source once it was read."""

    title: str
    url: str
    snippet: str = ""


SourceKind = Literal["study", "press", "official", "advocacy", "vendor", "notes", ""]
"""What sort of publication a source is. Empty unless it is certain: a wrong kind misleads more than none."""


class Source(StoredModel):
    """A page or document that was read.

    ``number`` counts from 1 within the run; ``sha256`` is of its text; ``brief_source`` is the id of the brief's source it
    came from, None if the search found it. ``kind`` is one of SourceKind, or in the words of the person. ``language`` is the
    detected BCP 47 tag. Unknown fields are empty.
    """

    number: int
    title: str
    url: str = ""
    publisher: str = ""
    author: str = ""
    date: str = ""
    kind: str = ""
    language: str = ""
    read_at: datetime
    sha256: str
    excerpt: str = ""
    words: int = 0
    brief_source: int | None = None


class Passage(StoredModel):
    """A part of a source's text that can be cited as ``[S3]``: ``text == source_text[start:end]``.

    ``page`` is the page of a PDF on which most of it stands, counted from 1; 0 for other documents.
    """

    id: str
    source: int
    start: int
    end: int
    text: str
    page: int = 0


class UnreadSource(StoredModel):
    """A source that could not be read, and the reason, for a person to read."""

    title: str
    url: str = ""
    brief_source: int | None = None
    reason: str


class Reading(StoredModel):
    """All that was read for a run. Passage ids ``S1, S2 …`` are unique in it.

    ``from_samples`` is set if the sample library was used, because nothing else could be read.
    """

    sources: list[Source] = []
    passages: list[Passage] = []
    unread: list[UnreadSource] = []
    from_samples: bool = False

    def with_problems(self, problems: Iterable[str]) -> Reading:
        """A copy that also reports problems of the search."""
        return self.model_copy(
            update={"unread": [*self.unread, *(UnreadSource(title="Search", reason=p) for p in problems)]}
        )
