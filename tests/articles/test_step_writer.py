"""StepWriter: batches concurrent changes, and reports or records what no task awaits any more."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from agents.contract import SectionText
from agents.costs.usage import Usage, record_usage
from agents.pipeline.steps import StepKey, StepSpec
from articles.exceptions import LeaseLost
from articles.models import Event, Run, Step
from articles.runs import step_writer
from articles.runs.lease import Claim
from articles.runs.step_writer import (
    StepAbandoned,
    StepChange,
    write_changes,
)
from articles.services import start_run
from tests.factories import (
    claim,
    make_completed_article,
    make_journal,
    step_completed,
    step_started,
)


@pytest.mark.django_db(transaction=True)
class TestStepWriter:
    async def test_concurrent_changes_are_written_in_one_transaction(self, monkeypatch: pytest.MonkeyPatch) -> None:
        written: list[int] = []

        def count(held: Claim, batch: Sequence[StepChange]) -> None:
            written.append(len(batch))
            write_changes(held, batch)

        monkeypatch.setattr(step_writer, "write_changes", count)
        journal = await make_journal()
        await asyncio.gather(*(journal.writer.write(step_started(f"write:{number}")) for number in range(1, 27)))
        assert written == [26]
        assert await Event.objects.filter(payload__status="started").acount() == 26

    async def test_a_failed_write_fails_each_of_its_changes(self) -> None:
        journal = await make_journal()
        broken = journal.writer.write(StepAbandoned(StepKey.parse("write:1"), Usage()))
        results = await asyncio.gather(journal.writer.write(step_started("write:2")), broken, return_exceptions=True)
        assert all(isinstance(result, Step.DoesNotExist) for result in results)
        assert await Step.objects.acount() == 0, "the transaction was rolled back"

    async def test_an_unawaited_failure_is_logged(self, caplog: pytest.LogCaptureFixture) -> None:
        journal = await make_journal()
        waiting = asyncio.create_task(journal.writer.write(StepAbandoned(StepKey.parse("write:1"), Usage())))
        await asyncio.sleep(0)
        waiting.cancel()
        await journal.drain()
        assert "StepAbandoned was not written, and no task awaits it: DoesNotExist" in caplog.text

    async def test_a_lost_claim_writes_nothing(self) -> None:
        journal = await make_journal()
        await Run.objects.aupdate(token=uuid4())
        with pytest.raises(LeaseLost):
            await journal.writer.write(step_started("write:1"))

    async def test_a_second_cancellation_does_not_lose_costs_while_they_are_recorded(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        journal = await make_journal()
        started, may_end = asyncio.Event(), threading.Event()

        async def perform() -> SectionText:
            record_usage(Usage(calls=1, prompt_tokens=10))
            started.set()
            await asyncio.sleep(60)
            raise AssertionError("it is cancelled before")

        def slowly(held: Claim, changes: Sequence[StepChange]) -> None:
            may_end.wait(10)
            write_changes(held, changes)

        async def work() -> None:
            try:
                await journal.once(StepSpec(StepKey("write", "section", 1), SectionText, perform, "Writing", str))
            finally:
                await journal.drain()

        working = asyncio.create_task(work())
        await started.wait()
        monkeypatch.setattr(step_writer, "write_changes", slowly)
        other = asyncio.create_task(journal.writer.write(step_started("write:2")))
        await asyncio.sleep(0.1)
        for _ in range(2):
            working.cancel()
            await asyncio.sleep(0.1)
        may_end.set()
        with pytest.raises(asyncio.CancelledError):
            await working
        await asyncio.wait_for(other, 10)
        assert (await Step.objects.aget(section=1)).model_calls == 1

    async def test_costs_of_a_step_that_ended_too_late_are_recorded_though_no_task_awaits_them(self) -> None:
        journal = await make_journal()
        await journal.writer.write(step_started("write:1"))
        await Run.objects.aupdate(token=uuid4())
        late = journal.writer.write(step_completed("write:1", SectionText(markdown="Late."), Usage(calls=3)))
        waiting = asyncio.create_task(late)
        await asyncio.sleep(0)
        waiting.cancel()
        await journal.drain()
        assert (await Step.objects.aget()).model_calls == 3


@pytest.mark.django_db
def test_a_step_of_an_article_that_is_written_again_does_not_load_its_text(owner: User) -> None:
    article = make_completed_article(owner)
    start_run(article=article, by=owner)
    held = claim(article)
    with CaptureQueriesContext(connection) as queries:
        write_changes(held, [step_started("write:1")])
        write_changes(held, [step_completed("write:1", SectionText(markdown="Again."), Usage())])
    read = [
        query["sql"] for query in queries if query["sql"].startswith("SELECT") and '"articles_article"' in query["sql"]
    ]
    assert len(read) == 2
    assert not [sql for sql in read if '"research_data"' in sql or '"content"' in sql]
