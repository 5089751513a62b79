"""The text as people edit it: each save is a revision, and none is lost to another."""

from __future__ import annotations

from django.contrib.auth.models import User

from articles.exceptions import EditConflict, InvalidState
from articles.models import Article, Revision
from articles.models.status import ACTIVE
from articles.runs.event_log import article_transaction, refresh

BEING_WRITTEN = "The crew is writing this article. Wait until it is done, or cancel it, to edit it."


def save_text(*, article: Article, by: User, title: str, content: str, opened_at: int) -> Revision:
    """Save an edited text as the next revision.

    ``opened_at`` is the number of the revision the person began to edit: raises EditConflict where there is a newer one, and
    InvalidState while the crew is writing.
    """
    with article_transaction(article.pk) as tx:
        check_editable(tx.article, opened_at)
        revision = tx.save_text(title, content, by=by)
    refresh(article)
    return revision


def check_can_save(*, article: Article, opened_at: int) -> None:
    """Raise what ``save_text`` would. Inside a transaction the article's row stays locked, so the answer holds to its end."""
    with article_transaction(article.pk) as tx:
        check_editable(tx.article, opened_at)


def check_editable(article: Article, opened_at: int) -> None:
    if article.status in ACTIVE:
        raise InvalidState(BEING_WRITTEN)
    newest = article.revisions.first()
    if newest and newest.number != opened_at:
        raise EditConflict(
            f"{newest.author} saved revision {newest.number} while you were editing. Your text is still here:"
            " copy what you need, open the newest text and save again."
        )
