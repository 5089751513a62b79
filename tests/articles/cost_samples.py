"""Articles with the costs a run stores."""

from __future__ import annotations

from decimal import Decimal
from uuid import uuid4

from django.contrib.auth.models import User

from agents.contract import SectionText
from agents.costs.usage import Usage
from articles.costs.limits import this_month
from articles.models import Article, Run, Spending
from articles.runs.lease import Claim
from articles.runs.step_writer import write_changes
from tests.factories import claim, make_article, step_completed, step_started


def used(cost: str, **counts: int) -> Usage:
    usual = {"calls": 1, "prompt_tokens": 1000, "completion_tokens": 100}
    return Usage(cost=Decimal(cost), **usual | counts)


def do(held: Claim, key: str, usage: Usage) -> None:
    """A step, and its cost in the owner's month."""
    write_changes(held, [step_started(key), step_completed(key, SectionText(markdown="Some text."), usage)])
    owner = Article.objects.get(pk=held.article_id).owner
    Spending.objects.create(token=uuid4(), user=owner, month=this_month(), spent=usage.cost)


def written(owner: User, write: str = "0.02") -> tuple[Article, Claim]:
    """An article in progress that cost 1 cent for its research and ``write`` for each of two sections."""
    article = make_article(owner)
    held = claim(article)
    do(held, "research:plan", used("0.01", cached_tokens=400))
    do(held, "write:1", used(write))
    do(held, "write:2", used(write, unpriced_calls=1))
    return article, held


def run_of(article: Article) -> Run:
    run = article.latest_run()
    assert run is not None
    return run
