"""Restores and names revisions of a text. A restored text is a new revision: none is overwritten."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated

from django.contrib.auth.models import User
from pydantic import Field

from agents.input_types import Line
from articles.exceptions import InvalidInput
from articles.models import Article, Revision
from articles.revisions import compare, with_changes_undone
from articles.services.texts import save_text
from articles.services.validation import Input

MAX_NAME = 100

Name = Annotated[str, Field(max_length=MAX_NAME), Line]


class NameInput(Input):
    name: Name


def restore_revision(*, article: Article, by: User, revision: Revision, opened_at: int) -> Revision:
    """Save an earlier text as the next revision. Raises what ``save_text`` does."""
    return save_text(article=article, by=by, title=revision.title, content=revision.content, opened_at=opened_at)


def restore_changes(
    *,
    article: Article,
    by: User,
    revision: Revision,
    opened_at: int,
    changes: Collection[int] = (),
    title: bool = False,
) -> Revision:
    """Undo single changes since ``revision``, and with ``title`` that of the title. Saved as the next revision.

    ``changes`` are numbers of changes in the comparison with revision ``opened_at``. Raises InvalidInput if there is no such
    change, and what ``save_text`` does.
    """
    newest = article.revisions.filter(number=opened_at).first()
    if newest is None:
        raise InvalidInput({"revision": ["This article has no such revision."]})
    comparison = compare(revision.content, newest.content)
    if unknown := sorted({*changes} - {change.number for change in comparison.changes}):
        raise InvalidInput({"changes": [f"There is no change {unknown[0]} between these revisions."]})
    return save_text(
        article=article,
        by=by,
        title=revision.title if title else newest.title,
        content=with_changes_undone(comparison, changes),
        opened_at=opened_at,
    )


def name_revision(*, revision: Revision, name: str) -> None:
    """Name a revision, such as “Sent to the client”; an empty name removes it. Raises InvalidInput."""
    revision.name = NameInput.parse({"name": name}).name
    revision.save(update_fields=["name"])
