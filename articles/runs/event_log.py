"""The event log: transactions that hold an article's row and number its events.

Order of commit is order of ``seq``: a reader who has seen event 7 never meets a late event 6. SQLite has no row locks; there
the immediate transaction locks the whole file, with the same effect.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet

from agents.pipeline.steps import StepKey
from agents.text.markdown import count_words
from articles.exceptions import ArticleGone
from articles.models import Article, Event, Revision, Run, Status, StepStatus
from articles.revisions.origins import Origin, origin_of_text
from articles.runs.measurements import measure_status, waiting_since
from articles.signals import events_recorded


class ArticleTransaction:
    """Changes an article and logs its events, inside the transaction that holds the article's row.

    Events are numbered at once. They and the changed fields are stored by ``flush``, in one statement each.
    """

    def __init__(self, article: Article) -> None:
        self.article = article
        self._changed: set[str] = set()
        self._events: list[Event] = []

    def set(self, **fields: object) -> None:
        """Change fields of the article."""
        for field, value in fields.items():
            setattr(self.article, field, value)
        self._changed |= fields.keys()

    def log_event(self, type: Event.Type, run: Run | None, **payload: object) -> None:
        """Append an event. Watchers are notified of it after the commit."""
        self.set(last_seq=self.article.last_seq + 1)
        self._events.append(Event(article=self.article, run=run, seq=self.article.last_seq, type=type, payload=payload))

    def log_step(self, run: Run, key: StepKey, status: StepStatus, message: str, **more: object) -> None:
        """Append the event of a step."""
        payload = {"agent": key.agent, "status": status, "message": message, "step": str(key), **more}
        self.log_event(Event.Type.AGENT_UPDATE, run, **payload)

    def change_status(self, run: Run, new: Status, message: str, **changes: object) -> bool:
        """Move ``run`` and its article to ``new`` and log it. False if the run has changed since ``run`` was read."""
        old, waited_since = run.status, waiting_since(run, new)
        if not Run.objects.filter(pk=run.pk, status=old, token=run.token).update(status=new, **changes):
            return False
        run.refresh_from_db()
        measure_status(run, waited_since)
        self.set(status=new, message=message, current_agent="")
        self.log_event(Event.Type.STATUS_CHANGE, run, old_status=old, new_status=new, message=message)
        return True

    def save_text(
        self, title: str, content: str, *, by: User | None, run: Run | None = None, origin: Origin | None = None
    ) -> Revision:
        """Put a text on the article, keep it as its next revision and log it. ``by`` is None for the crew.

        ``origin`` is that of new sentences, by default of who saves it.
        """
        newest = self.article.revisions.order_by("-number").first()
        number = newest.number + 1 if newest else 1
        revision = Revision.objects.create(
            article=self.article,
            number=number,
            title=title,
            content=content,
            saved_by=by,
            origin=origin_of_text(self.article, content, new=origin or ("person" if by else "crew")),
        )
        self.set(title=title, content=content, word_count=count_words(content))
        author = by.get_username() if by else "the crew"
        message = f"Revision {number} was saved by {author}: {self.article.word_count:,} words"
        self.log_event(Event.Type.REVISION, run, number=number, message=message)
        return revision

    def flush(self) -> None:
        """Store the changed fields and the events."""
        article, events = self.article, self._events
        run = next((event.run for event in reversed(events) if event.run), None)
        if run is not None:
            # The plan may grow while a run is in progress; the progress that people see never goes back.
            least = article.progress if run.status == Status.PROCESSING else 0
            self.set(progress=max(run.progress(), least))
        if self._changed:
            article.save(update_fields=[*self._changed, "updated_at"])
        for event in events:
            event.progress = article.progress
        if events:
            Event.objects.bulk_create(events)
            transaction.on_commit(lambda: send_events_recorded(article.pk, events), robust=True)


def send_events_recorded(article_id: int, events: Sequence[Event]) -> None:
    events_recorded.send(sender=Event, article_id=article_id, first=events[0].seq, last=events[-1].seq)


@contextmanager
def article_transaction(article_id: int) -> Iterator[ArticleTransaction]:
    """Lock the article's row and write. Raises ArticleGone."""
    with transaction.atomic():
        tx = ArticleTransaction(lock_article(article_id))
        yield tx
        tx.flush()


def lock_article(article_id: int) -> Article:
    """The article, its row locked until the transaction ends. Raises ArticleGone."""
    article = locked_articles().filter(pk=article_id).first()
    if article is None:
        raise ArticleGone
    return article


def locked_articles() -> QuerySet[Article]:
    """Without long fields: a step of an article that is written again needs neither its text nor its research."""
    return Article.objects.without_large_fields().select_for_update()


def refresh(article: Article) -> None:
    """Reload the article after a transaction. Raises ArticleGone if it was deleted right after."""
    try:
        article.refresh_from_db()
    except Article.DoesNotExist:
        raise ArticleGone from None
