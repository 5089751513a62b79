"""The text as people edit it. Each save is a revision; none overwrites another."""

from __future__ import annotations

from typing import Annotated

from django.contrib.auth.models import User
from pydantic import AfterValidator, BeforeValidator, Field

from agents.input_types import Line, clean_markdown
from articles.exceptions import EditConflict, InvalidState
from articles.models import Article, Revision
from articles.models.status import ACTIVE
from articles.quotas.totals import stored
from articles.revisions.origins import Origin
from articles.runs.event_log import article_transaction, refresh
from articles.services.validation import Input

BEING_WRITTEN = "This article is being written. Wait until it is done, or cancel it, before you edit it."
MAX_CONTENT = 200_000  # characters


def not_blank(value: str) -> str:
    if not value.strip():
        raise ValueError("an article needs a text; to remove all of it, delete the article")
    return value


Title = Annotated[str, Field(min_length=1, max_length=300), Line]
Content = Annotated[str, Field(max_length=MAX_CONTENT), AfterValidator(not_blank), BeforeValidator(clean_markdown)]


class TextInput(Input):
    """An edited text, in Markdown."""

    title: Title
    content: Content


def save_text(
    *, article: Article, by: User, title: str, content: str, opened_at: int, origin: Origin = "person"
) -> Revision:
    """Save an edited text as the next revision. ``opened_at`` is the number of the revision the person began to edit.

    ``origin`` is that of the sentences that no earlier revision has.
    Raises InvalidInput, EditConflict if there is a newer revision, InvalidState while a run is active, and QuotaReached.
    """
    text = TextInput.parse({"title": title, "content": content})
    with stored(article.owner, len(text.content)), article_transaction(article.pk) as tx:
        check_editable(tx.article, opened_at)
        revision = tx.save_text(text.title, text.content, by=by, origin=origin)
    refresh(article)
    return revision


def check_can_save(*, article: Article, opened_at: int) -> None:
    """Raise what ``save_text`` would. Inside a transaction the article stays locked, so the answer holds until its end."""
    with article_transaction(article.pk) as tx:
        check_editable(tx.article, opened_at)


def check_editable(article: Article, opened_at: int) -> None:
    if article.status in ACTIVE:
        raise InvalidState(BEING_WRITTEN)
    newest = article.revisions.first()
    if newest and newest.number != opened_at:
        raise EditConflict(
            f"{newest.author} saved revision {newest.number} after you opened this text, so yours was not saved."
            " Add your changes to the newest text and save again."
        )
