"""One transaction under the article's row lock, in which events take the next ``seq``.

So order of commit is order of ``seq``, and a reader who has seen 7 can never be surprised by a late 6. SQLite has no row
locks: there the (immediate) transaction holds the whole file, to the same effect.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from django.contrib.auth.models import User
from django.db import transaction

from articles.exceptions import ArticleGone
from articles.models import Article, Event, Revision, Run, Status
from articles.rendering.markdown import word_count
from articles.signals import events_recorded


class ArticleTransaction:
    """Writes the article's events and what it shows, inside the transaction that holds its row.

    What is told is numbered at once and stored when the tx is put down, all of it together.
    """

    def __init__(self, article: Article) -> None:
        self.article = article
        self._changed: set[str] = set()
        self._told: list[Event] = []

    def set(self, **fields: object) -> None:
        """Change fields of the article; they are saved with the events."""
        for field, value in fields.items():
            setattr(self.article, field, value)
        self._changed |= fields.keys()

    def log_event(self, type: Event.Type, run: Run | None, **payload: object) -> None:
        """Append an event, with what the article shows from now on. It is announced once it is committed."""
        self.set(last_seq=self.article.last_seq + 1)
        self._told.append(Event(article=self.article, run=run, seq=self.article.last_seq, type=type, payload=payload))

    def flush(self) -> None:
        """Store what was set and told."""
        article, told = self.article, self._told
        run = next((event.run for event in reversed(told) if event.run), None)
        if run is not None:
            # Steps may be added to the plan on the way; what a person sees never goes back while a run is at work.
            least = article.progress if run.status == Status.PROCESSING else 0
            self.set(progress=max(run.progress(), least))
        if self._changed:
            article.save(update_fields=[*self._changed, "updated_at"])
        for event in told:
            event.progress = article.progress
        if told:
            Event.objects.bulk_create(told)
            transaction.on_commit(lambda: announce(article.pk, told), robust=True)

    def change_status(self, run: Run, new: Status, message: str, **changes: object) -> bool:
        """Move ``run`` and its article to ``new``, and tell it. False where the run is no longer as ``run`` has it."""
        old = run.status
        if not Run.objects.filter(pk=run.pk, status=old, token=run.token).update(status=new, **changes):
            return False
        run.refresh_from_db()
        self.set(status=new, message=message, current_agent="")
        self.log_event(Event.Type.STATUS_CHANGE, run, old_status=old, new_status=new, message=message)
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
        self.log_event(Event.Type.REVISION, run, number=number, message=message)
        return revision


def announce(article_id: int, events: Sequence[Event]) -> None:
    events_recorded.send(sender=Event, article_id=article_id, first=events[0].seq, last=events[-1].seq)


@contextmanager
def article_transaction(article_id: int) -> Iterator[ArticleTransaction]:
    """Hold the article's row and write. Raises ArticleGone."""
    with transaction.atomic():
        tx = ArticleTransaction(lock_article(article_id))
        yield tx
        tx.flush()


def lock_article(article_id: int) -> Article:
    """The article, its row locked until the transaction ends. Raises ArticleGone."""
    article = Article.objects.select_for_update().filter(pk=article_id).first()
    if article is None:
        raise ArticleGone
    return article


def refresh(article: Article) -> None:
    """Take over what was written by now. Raises ArticleGone: it may have been deleted right after."""
    try:
        article.refresh_from_db()
    except Article.DoesNotExist:
        raise ArticleGone from None
