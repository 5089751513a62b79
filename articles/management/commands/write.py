"""``manage.py write "TOPIC"``: writes an article in this process and prints it."""

from __future__ import annotations

import io
import json
import os
import signal
import sys
import threading
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from channels.layers import InMemoryChannelLayer, channel_layers
from django.conf import settings
from django.contrib.auth.models import User
from django.core.files.uploadedfile import UploadedFile
from django.core.management.base import BaseCommand, CommandError, OutputWrapper
from django.db import connection
from django.utils import timezone
from django.utils.datastructures import MultiValueDict

from agents.costs.prices import dollars
from articles import services
from articles.costs.limits import refuse_used_up_month
from articles.costs.reports import article_totals
from articles.exceptions import InvalidInput, InvalidState, StudioError
from articles.exports import FORMATS, export
from articles.exports.download import document_of
from articles.forms.brief import BriefForm
from articles.live import receivers
from articles.management.quiet import warnings_only
from articles.models import Article, Event, Status
from articles.operations.doctor import check_tables
from articles.services import BriefInput, NewSource, SourceInput
from articles.signals import events_recorded
from contentstudio.runtime import redis_server

SUFFIXES = {kind.suffix: format for format, kind in FORMATS.items()}
FLAGS = {
    "topic": "TOPIC",
    "min_words": "--words",
    "target_audience": "--audience",
    "include_image": "--no-image",
    "seo_optimize": "--no-seo",
    "allow_uncited": "--require-sources",
    "addresses": "--source",
    "documents": "--source",
}
"""The option for a field of the brief form, if it differs from the field's name."""

HELP = {
    "min_words": "minimum length in words (%(default)s)",
    "tone": "(%(default)s)",
    "target_audience": "target audience (%(default)s)",
    "language": "a BCP 47 tag (%(default)s)",
    "keywords": "separated by commas",
    "notes": "further instructions",
    "voice": "name of a voice",
    "writing": "parallel: sections side by side, fastest; whole: one draft, for up to 1,500 words (%(default)s)",
    "include_image": "leave out the cover image",
    "seo_optimize": "leave out the SEO title and description",
    "allow_uncited": "stop if no source can be read instead of writing without citations",
}
"""The help of an option; others show the help text of the form."""


class Command(BaseCommand):
    help = "Writes an article and prints it as Markdown, or saves it to a file. Needs neither Redis nor workers."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("topic", metavar="TOPIC", help="the topic of the article")
        for name, rule in BriefInput.model_fields.items():
            if name in ("topic", "approve_outline"):  # nobody could approve an outline here
                continue
            option, text = option_of(name), HELP.get(name) or str(BriefForm.base_fields[name].help_text)
            if rule.annotation is bool:
                action = "store_false" if rule.default else "store_true"
                parser.add_argument(option, action=action, dest=name, help=text)
            else:
                kind = int if rule.annotation is int else str
                choices = get_args(rule.annotation) if get_origin(rule.annotation) is Literal else None
                parser.add_argument(
                    option, type=kind, choices=choices, default=rule.default or "", dest=name, help=text
                )
        parser.add_argument(
            "--source", action="append", default=[], metavar="FILE|URL", help="a source to read and cite; repeatable"
        )
        parser.add_argument(
            "--sources",
            type=Path,
            metavar="FILE",
            help="a JSON file: a list of sources with text, url, title, kind, publisher, author and date, as in the API",
        )
        parser.add_argument("--user", metavar="NAME", help="owner of the article (default: the first superuser)")
        parser.add_argument("--out", type=Path, metavar="FILE", help=f"output file: {', '.join(SUFFIXES)}")

    def handle(self, *args: Any, topic: str, source: list[str], out: Path | None, **options: Any) -> None:
        format = format_of(out) if out else "md"
        require_tables()
        by = owner(options["user"])
        require_unspent_month(by)
        listed = listed_sources(options["sources"]) if options["sources"] else []
        with ExitStack() as files:
            form = brief_form(topic, source, options, files)
            sources = [*listed, *form.sources()]
            try:
                article = services.create_article(by=by, brief=form.brief, sources=sources, start=False)
            except StudioError as error:
                raise CommandError(str(error)) from error
        if not redis_server.is_reachable(settings.REDIS_ADDRESS):
            receivers.disconnect()  # nobody can watch
            channel_layers.set("default", InMemoryChannelLayer())
        self.report(f"Article {article.pk}: {article}")
        with self.progress_of(article), warnings_only(options["verbosity"]):
            write(article)
        article.refresh_from_db()
        self.report(cost_summary(article))
        self.require_completed(article)
        self.deliver(article, format, out)

    def report(self, line: str) -> None:
        """Prints to stderr, as stdout holds only the article. A closed pipe (``2>&1 | head``) ends the output, not the run."""
        try:
            self.stderr.write(line, style_func=str)
            self.stderr.flush()
        except BrokenPipeError:
            self.stderr = OutputWrapper(io.StringIO())
            # Python flushes the original stream when it exits, and would fail again.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())

    @contextmanager
    def progress_of(self, article: Article) -> Iterator[None]:
        """Prints each event of the article as it is committed."""
        began = timezone.now()

        def report_events(sender: Any, *, article_id: int, first: int, last: int, **kwargs: Any) -> None:
            if article_id != article.pk:
                return
            for event in article.events.filter(seq__range=(first, last)).order_by("seq"):
                seconds = (event.created_at - began).total_seconds()
                self.report(f"{clock(seconds)}  {event.progress:3} %  {event_line(event)}")

        events_recorded.connect(report_events, weak=False)
        try:
            yield
        finally:
            events_recorded.disconnect(report_events)

    def require_completed(self, article: Article) -> None:
        if article.status == Status.CANCELLED:
            raise CommandError("Cancelled. Finished steps are kept; continue on the article's page.", returncode=130)
        if article.status == Status.PENDING:
            raise CommandError(f"{article.message}. A running studio continues it; you can also try now on its page.")
        if article.status == Status.PAUSED:
            raise CommandError(f"Paused. {article.message}")
        if article.status != Status.COMPLETED:
            raise CommandError(f"The article failed. {article.message}")
        if article.notice:
            self.report(article.notice)

    def deliver(self, article: Article, format: str, out: Path | None) -> None:
        try:
            content = export(document_of(article), format)
            if out:
                out.write_bytes(content)
        except (StudioError, OSError) as error:
            raise CommandError(
                f"Article {article.pk} is finished but could not be saved to the file: {error}"
            ) from error
        if out:
            self.report(f"{out}: {article.word_count:,} words")
        else:
            self.stdout.write(content.decode())


# Options


def format_of(out: Path) -> str:
    """The export format by the file's suffix. Checked before the article is written."""
    if out.suffix.lower() not in SUFFIXES:
        raise CommandError(f"--out: the file name must end in one of: {', '.join(SUFFIXES)}.")
    if not out.absolute().parent.is_dir():
        raise CommandError(f"--out: there is no directory {out.parent}.")
    return SUFFIXES[out.suffix.lower()]


def require_tables() -> None:
    tables = check_tables()
    if tables.state != "ok":
        raise CommandError(f"The database cannot be used: {tables.message} {tables.action}")


def require_unspent_month(owner: User) -> None:
    """Checked first, as an article that cannot start would be left behind."""
    try:
        refuse_used_up_month(owner)
    except InvalidState as error:
        raise CommandError(str(error)) from error


def brief_form(topic: str, sources: list[str], options: dict[str, Any], files: ExitStack) -> BriefForm:
    """The brief form, as on the page. Documents stay open until ``files`` is closed."""
    addresses = [source for source in sources if "://" in source]
    documents = [files.enter_context(opened(Path(source))) for source in sources if "://" not in source]
    given = {name: options.get(name, "") for name in BriefInput.model_fields}
    given |= {"topic": topic, "addresses": "\n".join(addresses)}
    form = BriefForm(given, MultiValueDict({"documents": documents}))
    if not form.is_valid():
        problems = [f"{option_of(name)}: {text}" for name, texts in form.errors.items() for text in texts]
        raise CommandError("\n".join(problems))
    return form


def listed_sources(path: Path) -> list[NewSource]:
    """The sources in a JSON file, by the rules of the API."""
    try:
        rows = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise CommandError(f"--sources: {path} cannot be read: {error}") from error
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise CommandError(f"--sources: {path} must contain a list of objects.")
    sources = []
    for number, row in enumerate(rows, 1):
        if unknown := sorted(row.keys() - SourceInput.model_fields.keys()):
            raise CommandError(f"--sources: source {number}: unknown field {unknown[0]}.")
        try:
            sources.append(NewSource.parse(row))
        except InvalidInput as error:
            raise CommandError(f"--sources: source {number}: {str(error).removeprefix(': ')}") from error
    return sources


def option_of(field: str) -> str:
    return FLAGS.get(field) or f"--{field.replace('_', '-')}"


def opened(path: Path) -> UploadedFile[bytes]:
    try:
        return UploadedFile(path.open("rb"), name=path.name, size=path.stat().st_size)
    except OSError as error:
        raise CommandError(f"--source: {path} cannot be read: {error.strerror}.") from error


def owner(name: str | None) -> User:
    """The named user, else the first superuser, else a user “writer” who cannot sign in."""
    if name:
        found = User.objects.filter(username=name).first()
        if found is None:
            raise CommandError(f"--user: there is no user “{name}”.")
        return found
    superuser = User.objects.filter(is_superuser=True, is_active=True).order_by("pk").first()
    return superuser or User.objects.filter(username="writer").first() or User.objects.create_user("writer")


# Writing


def write(article: Article) -> None:
    """Executes a run in this process. Ctrl-C cancels it as the page does; a second Ctrl-C ends the process."""
    from agents.worker.jobs import run_now  # CrewAI takes seconds to import

    run = services.start_run(article=article, by=article.owner, queue=False)
    before = signal.signal(signal.SIGINT, lambda *_: cancel_in_thread(article))
    try:
        run_now(run.pk)
    finally:
        signal.signal(signal.SIGINT, before)


def cancel_in_thread(article: Article) -> None:
    """Django forbids database access in this thread, where an event loop is running."""
    signal.signal(signal.SIGINT, signal.default_int_handler)

    def cancel() -> None:
        with suppress(InvalidState):  # it has just ended
            services.cancel_run(article=article, by=article.owner)
        connection.close()

    threading.Thread(target=cancel).start()


# Output


def clock(seconds: float) -> str:
    return f"{int(seconds) // 60:02}:{int(seconds) % 60:02}"


def cost_summary(article: Article) -> str:
    """Such as ``Cost: $0.042 for 41,200 tokens in 38 calls.``"""
    spent = article_totals(article.pk)
    if not spent.calls:
        return "No cost: no AI calls were made."
    unknown = f", {spent.unpriced_calls} of them without a known price" if spent.unpriced_calls else ""
    return f"Cost: {dollars(spent.cost)} for {spent.tokens:,} tokens in {spent.calls} calls{unknown}."


def event_line(event: Event) -> str:
    """Such as ``WriterAgent  write:3  Writing “Choosing a site”``, with the duration of completed steps."""
    payload = event.payload
    took = f" ({payload['execution_time']:.1f} s)" if "execution_time" in payload else ""
    who = f"{payload['agent']:<14}  {payload['step']:<18}  " if "agent" in payload else ""
    return f"{who}{payload.get('message', '')}{took}"
