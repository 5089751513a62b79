"""Saves what people edited. If somebody else has saved meanwhile, the two edits are merged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction

from articles.exceptions import EditConflict
from articles.models import Article, Revision
from articles.runs.event_log import refresh
from articles.services.merging import Choice, Merge, Region, merge_texts
from articles.services.texts import TextInput, save_text
from articles.services.unsaved_texts import discard_unsaved

ATTEMPTS = 3  # at merging with the newest revision, while others save as well


@dataclass(frozen=True)
class TextMerge:
    """A text merged with ``newest``, and the title as a region of its own."""

    newest: Revision
    title: Region
    text: Merge

    @property
    def conflicts(self) -> list[Region]:
        return [*([self.title] if self.title.is_conflict else []), *self.text.conflicts]

    @property
    def taken(self) -> int:
        """How many of the other side's changes it has."""
        return self.text.taken + self.title.is_taken

    @property
    def content(self) -> str:
        return self.text.content

    def resolved(self, choices: Mapping[str, Choice]) -> TextMerge:
        """With the conflicts resolved for whose ``key`` there is a choice."""
        title = self.title
        if title.is_conflict and title.key in choices:
            title = title.chosen(choices[title.key])
        return replace(self, title=title, text=self.text.resolved(choices))


class MergeConflict(EditConflict):
    """Both changed the same places. Nothing is saved; ``merge`` has both versions of each place."""

    def __init__(self, merge: TextMerge) -> None:
        count = len(merge.conflicts)
        places = "one place" if count == 1 else f"{count} places"
        super().__init__(
            f"{merge.newest.author} saved revision {merge.newest.number} after you opened this text, and changed {places}"
            f" that you changed, too. Your text was not saved yet."
        )
        self.merge = merge


@dataclass(frozen=True)
class SavedText:
    """The revision that has the text. ``merge`` is what it was merged from, if somebody else had saved."""

    revision: Revision
    merge: TextMerge | None = None


def save_edit(
    *,
    article: Article,
    by: User,
    title: str,
    content: str,
    opened_at: int,
    version: UUID | None = None,
    choices: Mapping[str, Choice] | None = None,
) -> SavedText:
    """``save_text``, merged with what others have saved since ``opened_at``, and without the draft ``version``.

    ``choices`` resolve conflicts by their keys. Raises MergeConflict for others, and what ``save_text`` raises.
    """
    text, base = TextInput.parse({"title": title, "content": content}), opened_at
    merge = None
    for _ in range(ATTEMPTS):
        try:
            with transaction.atomic():
                revision = save_text(article=article, by=by, title=title, content=content, opened_at=opened_at)
                discard_unsaved(article=article, by=by, version=version)
            return SavedText(revision, merge)
        except EditConflict:
            found = merged_with_newest(article, text, base)
        merge = found.resolved(choices or {})
        if merge.conflicts:
            raise MergeConflict(found)
        title, content, opened_at = merge.title.merged, merge.content, merge.newest.number
        if (title, content) == (merge.newest.title, merge.newest.content):  # saved already, perhaps by this person
            discard_unsaved(article=article, by=by, version=version)
            refresh(article)
            return SavedText(merge.newest, merge)
    raise EditConflict("Others are saving this text, too. Save it again.")


def merged_with_newest(article: Article, mine: TextInput, base: int) -> TextMerge:
    """Raises EditConflict if there is no revision ``base`` to compare with."""
    revisions = article.revisions.select_related("saved_by")
    newest, opened = revisions.first(), revisions.filter(number=base).first()
    if newest is None or opened is None:
        raise EditConflict(f"This article has no revision {base}. Open the newest text and make your changes there.")
    text = merge_texts(opened.content, mine.content, newest.content)
    return TextMerge(newest, Region(opened.title, mine.title, newest.title), text)
