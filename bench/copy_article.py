"""Fills a studio's database with copies of one finished article: ``python -m bench.copy_article ID COPIES``.

Runs with the studio's own environment (``VAR``). Copies the rows the API reads: article, runs, steps, evidence, revisions.
"""

from __future__ import annotations

import copy
import os
import sys
from typing import Any, TypeVar

import django
from django.db import models, transaction

Row = TypeVar("Row", bound=models.Model)


def copied(row: Row, **changes: Any) -> Row:
    """An unsaved copy of ``row``."""
    new = copy.copy(row)
    new._state = copy.copy(row._state)
    new._state.adding, new._state.fields_cache = True, {}
    new.pk = None
    for name, value in changes.items():
        setattr(new, name, value)
    return new


def copy_article(article_id: int, copies: int) -> None:
    from articles.models import Article, Evidence, Revision, Run, Step  # needs Django to be set up

    original = Article.objects.get(pk=article_id)
    with transaction.atomic():
        articles = Article.objects.bulk_create([copied(original) for _ in range(copies)])
        Revision.objects.bulk_create(
            [copied(row, article=article) for article in articles for row in original.revisions.all()]
        )
        for run in original.runs.all():
            runs = Run.objects.bulk_create([copied(run, article=article) for article in articles])
            for model in (Step, Evidence):
                rows = list(model.objects.filter(run=run))
                model.objects.bulk_create([copied(row, run=new) for new in runs for row in rows])


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "contentstudio.settings")
    django.setup()
    copy_article(int(sys.argv[1]), int(sys.argv[2]))
