"""``manage.py write "TOPIC"``: an article from a brief, in this terminal and this process."""

from __future__ import annotations

import signal
import threading
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from channels.layers import InMemoryChannelLayer, channel_layers
from django.conf import settings
from django.contrib.auth.models import User
from django.core.files.uploadedfile import UploadedFile
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.utils import timezone
from django.utils.datastructures import MultiValueDict

from agents.costs.prices import dollars
from articles import services
from articles.costs.limits import refuse_used_up_month
from articles.costs.reports import article_totals
from articles.exceptions import InvalidState, StudioError
from articles.exports import FORMATS, export
from articles.exports.download import document_of
from articles.forms.brief import BriefForm
from articles.management.quiet import warnings_only
from articles.models import Article, Event, Status
from articles.operations.doctor import check_tables
from articles.signals import events_recorded
from contentstudio.runtime import redis_server

SUFFIXES = {kind.suffix: format for format, kind in FORMATS.items()}
OPTIONS = {
    "topic": "TOPIC",
    "min_words": "--words",
    "target_audience": "--audience",
    "addresses": "--source",
    "documents": "--source",
}


class Command(BaseCommand):
    help = "Writes an article and prints it as Markdown, or puts it into a file. Needs neither Redis nor workers."

    def add_arguments(self, parser: ArgumentParser) -> None:
        asked = {name: field.initial for name, field in BriefForm.base_fields.items()}
        parser.add_argument("topic", metavar="TOPIC", help="what the article is about")
        parser.add_argument(
            "--words", type=int, default=asked["min_words"], help="how long it is at least (%(default)s)"
        )
        parser.add_argument("--tone", default=asked["tone"], help="(%(default)s)")
        parser.add_argument("--audience", default=asked["target_audience"], help="who is to read it (%(default)s)")
        parser.add_argument("--language", default=asked["language"], help="a BCP 47 tag (%(default)s)")
        parser.add_argument("--keywords", default="", help="separated by commas")
        parser.add_argument("--notes", default="", help="anything the crew should keep in mind")
        parser.add_argument("--voice", default="", metavar="NAME", help="a voice of the studio's, by its name")
        parser.add_argument(
            "--source", action="append", default=[], metavar="FILE|URL", help="to be read and cited; may be given again"
        )
        parser.add_argument(
            "--require-sources",
            action="store_false",
            dest="allow_uncited",
            help="stop where nothing could be read, rather than write without citations",
        )
        parser.add_argument("--no-image", action="store_false", dest="image", help="leave out the cover image")
        parser.add_argument(
            "--no-seo", action="store_false", dest="seo", help="leave out the SEO title and description"
        )
        parser.add_argument("--user", metavar="NAME", help="whose article it is (the first superuser)")
        parser.add_argument("--out", type=Path, metavar="FILE", help=f"where to put it: {', '.join(SUFFIXES)}")

    def handle(self, *args: Any, topic: str, source: list[str], out: Path | None, **options: Any) -> None:
        format = format_of(out) if out else "md"
        require_tables()
        by = owner(options["user"])
        require_unspent_month(by)
        with ExitStack() as files:
            form = brief_form(topic, source, options, files)
            article = services.create_article(by=by, brief=form.brief(), sources=form.sources(), start=False)
        if not redis_server.is_reachable(settings.REDIS_ADDRESS):
            channel_layers.set("default", InMemoryChannelLayer())  # nobody can watch, so there is nobody to tell
        self.tell(f"Article {article.pk}: {article}")
        with self.progress_of(article), warnings_only(options["verbosity"]):
            write(article)
        article.refresh_from_db()
        self.tell(told_cost(article))
        self.require_completed(article)
        self.deliver(article, format, out)

    def tell(self, line: str) -> None:
        """To the standard error, so that the standard output holds the article alone; in no colour, as it is no error."""
        self.stderr.write(line, style_func=str)

    @contextmanager
    def progress_of(self, article: Article) -> Iterator[None]:
        """Tell what happens to the article on the standard error, as it is recorded."""
        began = timezone.now()

        def tell_events(sender: Any, *, article_id: int, first: int, last: int, **kwargs: Any) -> None:
            if article_id != article.pk:
                return
            for event in article.events.filter(seq__range=(first, last)).order_by("seq"):
                seconds = (event.created_at - began).total_seconds()
                self.tell(f"{clock(seconds)}  {event.progress:3} %  {told(event)}")

        events_recorded.connect(tell_events, weak=False)
        try:
            yield
        finally:
            events_recorded.disconnect(tell_events)

    def require_completed(self, article: Article) -> None:
        if article.status == Status.CANCELLED:
            raise CommandError("It was cancelled. What was done is kept: try it again from its page.", returncode=130)
        if article.status == Status.PENDING:
            raise CommandError(f"{article.message}. The studio goes on with it while it runs; its page can try it now.")
        if article.status == Status.PAUSED:
            raise CommandError(f"It is paused. {article.message}")
        if article.status != Status.COMPLETED:
            raise CommandError(f"The article could not be written. {article.message}")
        if article.notice:
            self.tell(article.notice)

    def deliver(self, article: Article, format: str, out: Path | None) -> None:
        try:
            content = export(document_of(article), format)
            if out:
                out.write_bytes(content)
        except (StudioError, OSError) as error:
            raise CommandError(f"Article {article.pk} is written, but not in the file: {error}") from error
        if out:
            self.tell(f"{out}: {article.word_count:,} words")
        else:
            self.stdout.write(content.decode())


# What is asked for


def format_of(out: Path) -> str:
    """The export that ``out`` names by its end. Asked first: minutes later would be too late."""
    if out.suffix.lower() not in SUFFIXES:
        raise CommandError(
            f"--out: “{out.name}” is no kind of file an article is made into. Use {', '.join(SUFFIXES)}."
        )
    if not out.absolute().parent.is_dir():
        raise CommandError(f"--out: there is no directory {out.parent}. Make it first.")
    return SUFFIXES[out.suffix.lower()]


def require_tables() -> None:
    tables = check_tables()
    if tables.verdict != "ok":
        raise CommandError(f"The database cannot be used. {tables.finding} {tables.advice}")


def require_unspent_month(owner: User) -> None:
    """Asked first: an article that cannot begin would be left behind."""
    try:
        refuse_used_up_month(owner)
    except InvalidState as error:
        raise CommandError(str(error)) from error


def brief_form(topic: str, sources: list[str], options: dict[str, Any], files: ExitStack) -> BriefForm:
    """The brief as the page takes it, checked by the same rules. Documents stay open until ``files`` is closed."""
    addresses = [source for source in sources if "://" in source]
    documents = [files.enter_context(opened(Path(source))) for source in sources if "://" not in source]
    given = {
        "topic": topic,
        "min_words": options["words"],
        "tone": options["tone"],
        "target_audience": options["audience"],
        "language": options["language"],
        "keywords": options["keywords"],
        "notes": options["notes"],
        "voice": options["voice"],
        "allow_uncited": options["allow_uncited"],
        "include_image": options["image"],
        "seo_optimize": options["seo"],
        "addresses": "\n".join(addresses),
    }
    form = BriefForm(given, MultiValueDict({"documents": documents}))
    if not form.is_valid():
        problems = [
            f"{OPTIONS.get(name, f'--{name}')}: {text}" for name, texts in form.errors.items() for text in texts
        ]
        raise CommandError("\n".join(problems))
    return form


def opened(path: Path) -> UploadedFile[bytes]:
    try:
        return UploadedFile(path.open("rb"), name=path.name, size=path.stat().st_size)
    except OSError as error:
        raise CommandError(f"--source: {path} cannot be read: {error.strerror}.") from error


def owner(name: str | None) -> User:
    """The user of that name; else the first superuser, else one who cannot sign in, made for articles from the terminal."""
    if name:
        found = User.objects.filter(username=name).first()
        if found is None:
            raise CommandError(f"--user: there is no user “{name}”.")
        return found
    superuser = User.objects.filter(is_superuser=True, is_active=True).order_by("pk").first()
    return superuser or User.objects.filter(username="writer").first() or User.objects.create_user("writer")


# Writing


def write(article: Article) -> None:
    """Perform the article's run here, to its end. Ctrl-C cancels it as the page would; a second one ends the process."""
    from agents.worker.jobs import run_now  # only now: CrewAI takes seconds to import

    run = services.start_run(article=article, by=article.owner, queue=False)
    before = signal.signal(signal.SIGINT, lambda *_: cancel_beside(article))
    try:
        run_now(run.pk)
    finally:
        signal.signal(signal.SIGINT, before)


def cancel_beside(article: Article) -> None:
    """Cancel from a thread: in this one an event loop is running, which forbids the store."""
    signal.signal(signal.SIGINT, signal.default_int_handler)

    def cancel() -> None:
        with suppress(InvalidState):  # it ended just now
            services.cancel_run(article=article, by=article.owner)
        connection.close()

    threading.Thread(target=cancel).start()


# Telling


def clock(seconds: float) -> str:
    return f"{int(seconds) // 60:02}:{int(seconds) % 60:02}"


def told_cost(article: Article) -> str:
    """``It cost $0.042: 41,200 tokens in 38 calls.``"""
    spent = article_totals(article.pk)
    if not spent.calls:
        return "It cost nothing: no model was asked."
    unknown = f", {spent.unpriced_calls} of them of a model without a price" if spent.unpriced_calls else ""
    return f"It cost {dollars(spent.cost)}: {spent.tokens:,} tokens in {spent.calls} calls{unknown}."


def told(event: Event) -> str:
    """``WriterAgent  write:3  Writing “Choosing a site”``, with the seconds it took once it is done."""
    said = event.payload
    took = f" ({said['execution_time']:.1f} s)" if "execution_time" in said else ""
    who = f"{said['agent']:<14}  {said['step']:<18}  " if "agent" in said else ""
    return f"{who}{said.get('message', '')}{took}"
