"""A run that stops after any of its steps continues with the next one and ends with the same article."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest
from django.contrib.auth.models import User

from agents.pipeline.steps import StepSpec
from agents.worker.jobs import run_now
from articles.models import Article, Evidence, Run, Status
from articles.runs.journal import RunJournal
from articles.services import NewSource, retry_run
from tests.agents.test_jobs import SURVEY
from tests.factories import make_article
from tests.model_server import BOUNDARY, ModelServer

pytestmark = pytest.mark.django_db(transaction=True)

SOURCES = (
    SURVEY,
    *(
        NewSource(title=f"Town {number}", text=f"Town {number} has {1000 + 37 * number} trees in its streets. " * 8)
        for number in range(1, 5)
    ),
)
SHORT = 0.7, 0.7
"""The model writes less than it is asked for, so that lengths have to be corrected."""

NEARLY = 0.85, 0.85
"""As much as a second draft needs to be considered."""

CHOSEN = "write:second", "edit:choose", "edit:proofread", "edit:corrected"

FIELDS = "title", "content", "outline", "seo_meta", "references", "research_data", "word_count", "notice"
"""Of an article, all that the recipe makes but the picture's name."""


class StoppedError(Exception):
    """An error that nothing expects. Steps that were begun beside the one it comes from are finished."""


class StopAfter:
    """Ends runs once the step ``key`` is stored. ``done`` are the keys of all steps so far, in the order of their ends."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.key = ""
        self.done: list[str] = []
        once = RunJournal.once

        async def stopping(journal: RunJournal, step: StepSpec[Any]) -> Any:
            is_new = await journal.recall(step.key, step.output) is None
            output = await once(journal, step)
            if is_new:
                self.done.append(str(step.key))
                if str(step.key) == self.key:
                    raise StoppedError(self.key)
            return output

        monkeypatch.setattr(RunJournal, "once", stopping)


def made(owner: User, brief: Mapping[str, object]) -> tuple[Article, Run]:
    article = make_article(owner, sources=SOURCES, **brief)
    return article, article.runs.get()


def asked(model: ModelServer) -> Counter[str]:
    """How often each prompt was sent, pictures included."""
    return Counter(BOUNDARY.sub("", call.prompt or str(call.body["prompt"])) for call in model.calls)


def result(article: Article) -> dict[str, object]:
    article.refresh_from_db()
    rows = (
        Evidence.objects.filter(run__article=article)
        .order_by("number")
        .values_list("sentence", "passages", "verdict", "judged_by")
    )
    assert article.research_data is not None
    for source in article.research_data["sources"]:
        del source["read_at"], source["brief_source"]
    return {name: getattr(article, name) for name in FIELDS} | {"evidence": list(rows)}


@pytest.mark.parametrize(
    ("brief", "steps"),
    [
        ({"min_words": 900}, ("research:find:2", "write:draft:3", "length", "image:draw")),
        ({"min_words": 300, "writing": "whole", "include_image": False}, ("write:draft", "edit:frame", *CHOSEN)),
    ],
    ids=["side by side", "whole draft, the second one is chosen"],
)
def test_a_run_stopped_after_each_of_its_steps_ends_with_the_same_article(
    owner: User,
    model: ModelServer,
    monkeypatch: pytest.MonkeyPatch,
    brief: Mapping[str, object],
    steps: tuple[str, ...],
) -> None:
    stop = StopAfter(monkeypatch)
    obedience, choices = (NEARLY, {"2"}) if "writing" in brief else (SHORT, {"1"})
    model.obedience, model.choices = obedience, set(choices)
    article, run = made(owner, brief)
    run_now(run.pk)
    whole, calls, keys = result(article), asked(model), list(stop.done)
    assert article.status == Status.COMPLETED
    assert all(any(step in key for key in keys) for step in steps)
    for key in keys:
        model.reset()
        model.obedience, model.choices = obedience, set(choices)
        stop.key = key
        article, run = made(owner, brief)
        with pytest.raises(StoppedError):
            run_now(run.pk)
        retry_run(article=article, by=owner)
        run_now(run.pk)
        assert result(article) == whole, key
        assert asked(model) == calls, key
