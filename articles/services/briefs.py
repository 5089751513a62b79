"""The brief as submitted: validated once, for the page, the API, the admin and the command."""

from __future__ import annotations

from typing import Annotated, Any, Self

from annotated_types import Ge, Le, MaxLen, MinLen
from pydantic import Field

from agents.contract import BriefFields
from agents.input_types import Line
from articles.models import Article, Voice
from articles.services.validation import Input


class BriefInput(BriefFields, Input):
    """``voice`` is the name of one of the studio's voices."""

    voice: Annotated[str, Field(max_length=100, description="The name of a voice"), Line] | None = None

    @classmethod
    def of(cls, article: Article, **changes: Any) -> Self:
        """The article's brief with ``changes``. Raises InvalidInput."""
        stored = {name: getattr(article, name) for name in BriefFields.model_fields}
        voice = article.voice.name if article.voice else None
        return cls.parse(stored | {"voice": voice} | changes)

    def columns(self) -> dict[str, Any]:
        """Values for the columns of an Article. Raises UnknownVoice."""
        voice = Voice.objects.named(self.voice) if self.voice else None
        return self.model_dump(include=set(BriefFields.model_fields)) | {"voice": voice}


def field_limits(field: str) -> tuple[int, int]:
    """The smallest and the largest number, or length of text, that a field of the brief may have."""
    least, most = 0, 0
    for rule in BriefInput.model_fields[field].metadata:
        match rule:
            case MinLen(min_length=int(bound)) | Ge(ge=int(bound)):
                least = bound
            case MaxLen(max_length=int(bound)) | Le(le=int(bound)):
                most = bound
    return least, most
