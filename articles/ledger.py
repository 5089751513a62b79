"""One transaction under the article's row lock, in which events take the next ``seq``.

So order of commit is order of ``seq``, and a reader who has seen 7 can never be surprised by a late 6. SQLite has no row
locks: there the (immediate) transaction holds the whole file, to the same effect.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.contrib.auth.models import User
from django.db import transaction

from articles.models import Article, Event, Revision, Run, Status
from articles.rendering import word_count
from articles.signals import event_recorded


class Pen:
    """Writes the article's events and what it shows, inside the transaction that holds its row."""

    def __init__(self, article: Article) -> None:
        self.article = article
        self._changed: set[str] = set()

    def set(self, **fields: object) -> None:
        """Change fields of the article; they are saved with the next event."""
        for field, value in fields.items():
            setattr(self.article, field, value)
        self._changed |= fields.keys()

    def tell(self, type: Event.Type, run: Run | None, **payload: object) -> None:
        """Append an event, with what the article shows from now on, and announce it once it is committed."""
        article = self.article
        self.set(last_seq=article.last_seq + 1)
        if run is not None:
            # Steps may be added to the plan on the way; what a person sees never goes back while a run is at work.
            least = article.progress if run.status == Status.PROCESSING else 0
            self.set(progress=max(run.progress(), least))
        article.save(update_fields=[*self._changed, "updated_at"])
        self._changed.clear()
        event = Event.objects.create(
            article=article, run=run, seq=article.last_seq, type=type, payload=payload, progress=article.progress
        )
        transaction.on_commit(
            lambda: event_recorded.send(sender=Event, article_id=event.article_id, seq=event.seq), robust=True
        )

    def change_status(self, run: Run, new: Status, message: str, **changes: object) -> bool:
        """Move ``run`` and its article to ``new``, and tell it. False where the run is no longer as ``run`` has it."""
        old = run.status
        if not Run.objects.filter(pk=run.pk, status=old, token=run.token).update(status=new, **changes):
            return False
        run.refresh_from_db()
        self.set(status=new, message=message, current_agent="")
        self.tell(Event.Type.STATUS_CHANGE, run, old_status=old, new_status=new, message=message)
        return True

    def save_text(self, title: str, content: str, *, by: User | None, run: Run | None = None) -> Revision:
        """Put a text on the article, keep it as its next revision, and tell it. ``by`` is None for the crew."""
        newest = self.article.revisions.order_by("-number").first()
        number = newest.number + 1 if newest else 1
        revision = Revision.objects.create(
            article=self.article, number=number, title=title, content=content, saved_by=by
        )
        self.set(title=title, content=content, word_count=word_count(content))
        author = by.get_username() if by else "the crew"
        message = f"Revision {number} was saved by {author}: {self.article.word_count:,} words"
        self.tell(Event.Type.REVISION, run, number=number, message=message)
        return revision


@contextmanager
def writing(article_id: int) -> Iterator[Pen]:
    """Hold the article's row and write. Raises Article.DoesNotExist."""
    with transaction.atomic():
        yield Pen(Article.objects.select_for_update().get(pk=article_id))
