"""``manage.py quality``: scores finished articles by what can be counted."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from agents.contract import MAX_WORDS
from articles.models import Article
from articles.quality import ScoredText, score_text
from articles.quality.from_article import scored_text_of
from articles.quality.table import table

NONE_FINISHED = "There is no finished article yet."
NOTHING_NAMED = "Give article ids, --all, --owner NAME, or --file PATH with --words N."


class Command(BaseCommand):
    help = "Scores finished articles without a model: length, citations, exactness, repetition, headings, reading ease, SEO."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("ids", nargs="*", type=int, metavar="ID", help="an article's id")
        parser.add_argument("--all", action="store_true", help="all finished articles")
        parser.add_argument("--owner", metavar="NAME", help="all finished articles of this user")
        parser.add_argument("--file", type=Path, metavar="PATH", help="a Markdown file; needs --words")
        parser.add_argument("--words", type=int, metavar="N", help="the requested length, with --file")
        parser.add_argument("--language", default="en", help="a BCP 47 tag, with --file (%(default)s)")
        parser.add_argument("--json", action="store_true", help="print a list of objects instead of a table")

    def handle(self, *args: Any, **options: Any) -> None:
        texts = (
            [text_from_file(options)] if options["file"] else [scored_text_of(article) for article in chosen(options)]
        )
        scored = [score_text(text) for text in texts]
        if options["json"]:
            self.stdout.write(json.dumps([asdict(quality) for quality in scored], indent=2, ensure_ascii=False))
        else:
            self.stdout.write(table(scored) if scored else NONE_FINISHED)


def chosen(options: dict[str, Any]) -> list[Article]:
    """The selected finished articles, oldest first. Raises CommandError if one of them is not finished."""
    finished = Article.objects.with_text().order_by("pk")
    if ids := set(options["ids"]):
        found = list(finished.filter(pk__in=ids))
        if missing := ids - {article.pk for article in found}:
            raise CommandError(f"Not a finished article: {', '.join(map(str, sorted(missing)))}.")
        return found
    if options["owner"]:
        return list(finished.filter(owner__username=options["owner"]))
    if not options["all"]:
        raise CommandError(NOTHING_NAMED)
    return list(finished)


def text_from_file(options: dict[str, Any]) -> ScoredText:
    """A text from a file, with its first heading as title. Its sources are unknown, so its numbers are not compared."""
    path, words = options["file"], options["words"]
    if words is None or not 0 < words <= 10 * MAX_WORDS:
        raise CommandError("--file needs --words N, the requested length.")
    try:
        content = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"--file: {path} cannot be read as UTF-8 text: {error}") from error
    heading, _, below = content.partition("\n")
    if heading.startswith("# "):
        return ScoredText(
            title=heading.removeprefix("# ").strip(), content=below, asked=words, language=options["language"]
        )
    return ScoredText(title=path.name, content=content, asked=words, language=options["language"])
