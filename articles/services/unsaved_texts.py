"""Drafts of the editor: what somebody has typed and not saved, one for each article and user."""

from __future__ import annotations

from uuid import UUID, uuid4

from django.contrib.auth.models import User
from django.utils import timezone

from articles.exceptions import InvalidInput, StudioError
from articles.models import Article, UnsavedText
from articles.services.texts import MAX_CONTENT


class ChangedElsewhere(StudioError):
    """The draft was changed in another tab or on another device. ``kept`` is what is stored."""

    status = 409

    def __init__(self, kept: UnsavedText) -> None:
        super().__init__("You are also editing this text in another tab or on another device.")
        self.kept = kept


def unsaved_text(article: Article, user: User) -> UnsavedText | None:
    """What the user has typed and not saved. None if it is the article's text."""
    found = UnsavedText.objects.filter(article=article, user=user).first()
    return None if found and (found.title, found.content) == (str(article), article.content) else found


def keep_unsaved(
    *, article: Article, by: User, title: str, content: str, opened_at: int, version: UUID | None
) -> UnsavedText:
    """Store a draft. ``version`` is that of the draft it replaces, None if the writer knows of none.

    Raises InvalidInput if it is too long, and ChangedElsewhere if another tab has stored a different text since.
    """
    if len(content) > MAX_CONTENT or len(title) > UnsavedText.MAX_TITLE:
        raise InvalidInput({"content": [f"Use at most {MAX_CONTENT:,} characters. This has {len(content):,}."]})
    values = {
        "title": title,
        "content": content,
        "opened_at": opened_at,
        "version": uuid4(),
        "kept_at": timezone.now(),
    }
    own = UnsavedText.objects.filter(article=article, user=by)
    if version is None or not own.filter(version=version).update(**values):
        found, created = own.get_or_create(article=article, user=by, defaults=values)
        if not created and (found.title, found.content) != (values["title"], values["content"]):
            raise ChangedElsewhere(found)
        return found
    return UnsavedText(article=article, user=by, **values)


def discard_unsaved(*, article: Article, by: User, version: UUID | None) -> bool:
    """Delete the draft unless another tab has changed it since ``version``. False if there is nothing to delete."""
    found = UnsavedText.objects.filter(article=article, user=by)
    return version is not None and bool(found.filter(version=version).delete()[0])
