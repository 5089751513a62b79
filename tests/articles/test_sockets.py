"""WebSockets on the real server, Redis and database: no event is lost or sent twice."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from channels.layers import get_channel_layer
from django.contrib.auth.models import User

from agents.exceptions import FailureCode
from articles.live import consumers, receivers, snapshots
from articles.live.groups import drafts_message, event_notification, group_name
from articles.models import Article
from articles.runs.journal import complete_run, fail_run
from articles.runs.step_writer import write_changes
from articles.services import cancel_run, delete_article, retry_run
from articles.signals import events_recorded
from tests.articles.clients import Message, done, open_socket
from tests.factories import (
    claim,
    do_step,
    make_article,
    make_completed_article,
    make_manuscript,
    make_processing_article,
    step_started,
)

pytestmark = pytest.mark.django_db(transaction=True)


def seqs(messages: list[Message]) -> list[int]:
    return [message["seq"] for message in messages if "seq" in message]


# Events


async def test_all_events_arrive_once_and_in_order(site: str, owner: User, key: str) -> None:
    article = await done(make_article, owner)
    async with open_socket(site, f"/ws/articles/{article.pk}", key) as line:
        status, created = await line.take(2)
        assert (status["type"], status["status"], status["message"]) == ("status", "pending", "Waiting for a worker")
        assert (created["type"], created["seq"]) == ("status_change", 1)
        held = await done(claim, article)
        for number in range(1, 4):
            await done(do_step, held, f"write:{number}")
        await done(complete_run, held, make_manuscript(), notice="")
        received = await line.rest()
        assert line.ws.close_code == 1000
    assert seqs(received) == list(range(2, 11))
    assert {"old_status": "pending", "new_status": "processing"}.items() <= received[0].items()
    finished = next(message for message in received if message.get("status") == "completed")
    assert finished.keys() >= {"agent", "step", "message", "execution_time", "timestamp", "progress", "article_id"}
    assert finished["timestamp"].endswith("Z")
    final = received[-1]
    assert (final["type"], final["status"], final["has_content"], final["progress"]) == (
        "final",
        "completed",
        True,
        100,
    )
    assert "seq" not in final


async def test_a_client_resumes_after_its_last_event(site: str, owner: User, key: str) -> None:
    article, held = await done(make_processing_article, owner)
    async with open_socket(site, f"/ws/articles/{article.pk}/", key) as line:
        first = await line.take(4)
    await done(do_step, held, "outline:plan")
    async with open_socket(site, f"/ws/articles/{article.pk}/?after={first[-1]['seq']}", key) as line:
        received = [await line.next()]
        while received[-1].get("seq") != article.last_seq + 2:
            received.append(await line.next())
        await line.silent()
    assert seqs(first + received) == list(range(1, article.last_seq + 3))
    assert received[0]["type"] == "status"


async def test_a_finished_article_sends_its_log_and_the_end(site: str, owner: User, key: str) -> None:
    article = await done(make_completed_article, owner)
    async with open_socket(site, f"/ws/articles/{article.pk}", key) as line:
        received = await line.rest()
        assert line.ws.close_code == 1000
    assert seqs(received) == list(range(1, article.last_seq + 1))
    assert (received[0]["type"], received[0]["progress"], received[-1]["type"]) == ("status", 100, "final")


async def test_a_failure_sends_its_reason_and_a_retry_can_be_followed(site: str, owner: User, key: str) -> None:
    article, held = await done(make_processing_article, owner)
    path = f"/ws/articles/{article.pk}?after="
    async with open_socket(site, f"{path}{article.last_seq}", key) as line:
        await line.next()
        await done(fail_run, held, "The quota is used up.", FailureCode.MODEL_QUOTA)
        change, final = await line.rest()
        assert (final["status"], final["has_content"], final["message"]) == ("failed", False, "The quota is used up.")
    await done(retry_run, article=article, by=owner)
    async with open_socket(site, f"{path}{change['seq']}", key) as line:
        status, waiting = await line.take(2)
        assert (status["status"], waiting["new_status"]) == ("pending", "pending")
        await line.silent()


async def test_many_clients_of_an_article_receive_the_same(site: str, owner: User, key: str) -> None:
    article, held = await done(make_processing_article, owner)

    async def watch() -> list[Message]:
        async with open_socket(site, f"/ws/articles/{article.pk}", key) as line:
            ready.release()
            return await line.rest(30)

    ready = asyncio.Semaphore(0)
    watchers = [asyncio.create_task(watch()) for _ in range(12)]
    for _ in watchers:
        await ready.acquire()
    for number in range(15):
        await done(do_step, held, f"write:{number}")
    await done(complete_run, held, make_manuscript(), notice="")
    for received in await asyncio.gather(*watchers):
        assert seqs(received) == list(range(1, article.last_seq + 33))
        assert received[-1]["type"] == "final"


async def test_drafts_are_forwarded(site: str, owner: User, key: str) -> None:
    article, _ = await done(make_processing_article, owner)
    async with open_socket(site, f"/ws/articles/{article.pk}?after={article.last_seq}", key) as line:
        await line.next()
        await get_channel_layer().group_send(
            group_name(article.pk),
            drafts_message(article.pk, [{"step": "write:1", "offset": 40, "text": "Flat roofs"}]),
        )
        draft = await line.next()
    assert {
        "type": "draft",
        "step": "write:1",
        "offset": 40,
        "text": "Flat roofs",
        "progress": article.progress,
    }.items() <= draft.items()
    assert "seq" not in draft


# Notifications


async def test_a_committed_event_notifies_its_group(owner: User) -> None:
    article = await done(make_article, owner)
    layer = get_channel_layer()
    channel = await layer.new_channel()
    await layer.group_add(group_name(article.pk), channel)
    await done(claim, article)
    async with asyncio.timeout(3):
        assert await layer.receive(channel) == event_notification(article.pk, 2)


async def test_duplicate_and_late_notifications_send_nothing_twice(site: str, owner: User, key: str) -> None:
    article, held = await done(make_processing_article, owner)
    async with open_socket(site, f"/ws/articles/{article.pk}?after={article.last_seq}", key) as line:
        await line.next()
        await done(do_step, held, "outline:plan")
        for seq in (article.last_seq + 2, article.last_seq + 1, 1, article.last_seq + 2):
            await get_channel_layer().group_send(group_name(article.pk), event_notification(article.pk, seq))
        assert seqs(await line.take(2)) == [article.last_seq + 1, article.last_seq + 2]
        await line.silent()


async def test_an_event_without_notification_is_found_by_polling(
    site: str, owner: User, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumers, "POLL_INTERVAL", 0.3)
    article, held = await done(make_processing_article, owner)
    async with open_socket(site, f"/ws/articles/{article.pk}?after={article.last_seq}", key) as line:
        await line.next()
        events_recorded.disconnect(dispatch_uid="articles.notify_watchers")
        try:
            await done(write_changes, held, [step_started("write:1")])
        finally:
            receivers.connect()
        assert (await line.next())["seq"] == article.last_seq + 1
        await line.ws.send_str("a client that talks is not listened to, and keeps nobody from looking")
        await done(do_step, held, "write:1")
        assert seqs(await line.take(2)) == [article.last_seq + 2, article.last_seq + 3]


async def test_a_coalesced_read_that_started_too_early_is_repeated(
    site: str, owner: User, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two watchers share a read. The second was notified of an event that this read started too early for."""
    article, held = await done(make_processing_article, owner)
    stale = snapshots.read_snapshot(consumers.ArticleConsumer.render_events, article.pk, article.last_seq)
    real, looks = snapshots.coalesced_snapshot, []

    async def first_too_early(*args: Any) -> snapshots.Snapshot | None:
        looks.append(args)
        return stale if len(looks) == 2 else await real(*args)

    monkeypatch.setattr(consumers, "coalesced_snapshot", first_too_early)
    async with open_socket(site, f"/ws/articles/{article.pk}?after={article.last_seq}", key) as line:
        await line.next()
        await done(write_changes, held, [step_started("write:1")])
        assert (await line.next())["seq"] == article.last_seq + 1
    assert len(looks) == 3


async def test_concurrent_reads_are_coalesced(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    article = await done(make_completed_article, owner)
    real, taken = snapshots.read_snapshot, []

    def counted(*args: Any) -> snapshots.Snapshot | None:
        taken.append(args)
        return real(*args)

    monkeypatch.setattr(snapshots, "read_snapshot", counted)
    render = consumers.ArticleConsumer.render_events
    looks = await asyncio.gather(*(snapshots.coalesced_snapshot(render, article.pk, 3) for _ in range(20)))
    assert len(taken) == 1
    assert {look.seq for look in looks if look} == {article.last_seq}
    await snapshots.coalesced_snapshot(render, article.pk, 3)
    assert len(taken) == 2


async def test_an_idle_socket_stays_open(site: str, owner: User, key: str) -> None:
    """Redis clients give up idle reads after five seconds, unless configured otherwise, which once closed every idle socket."""
    article, held = await done(make_processing_article, owner)
    async with open_socket(site, f"/ws/articles/{article.pk}?after={article.last_seq}", key) as line:
        await line.next()
        await line.silent(16)
        await done(write_changes, held, [step_started("write:1")])
        assert (await line.next())["seq"] == article.last_seq + 1


async def test_cancelling_and_deleting_end_the_socket(
    site: str, owner: User, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumers, "POLL_INTERVAL", 0.3)
    cancelled, _ = await done(make_processing_article, owner)
    async with open_socket(site, f"/ws/articles/{cancelled.pk}?after={cancelled.last_seq}", key) as line:
        await line.next()
        await done(cancel_run, article=cancelled, by=owner)
        assert (await line.rest())[-1]["status"] == "cancelled"
    deleted = await done(make_article, owner)
    async with open_socket(site, f"/ws/articles/{deleted.pk}?after=1", key) as line:
        await line.next()
        await done(Article.objects.filter(pk=deleted.pk).delete)
        (final,) = await line.rest()
        assert (final["type"], final["status"]) == ("final", "deleted")
        assert line.ws.close_code == 1000


async def test_deleting_an_active_article_ends_the_socket(site: str, owner: User, key: str) -> None:
    article, _ = await done(make_processing_article, owner)
    async with open_socket(site, f"/ws/articles/{article.pk}?after={article.last_seq}", key) as line:
        await line.next()
        await done(delete_article, article=article, by=owner)
        assert [(received["type"], received.get("status")) for received in await line.rest()] == [("final", "deleted")]


async def test_a_number_beyond_the_log_counts_as_the_newest(site: str, owner: User, key: str) -> None:
    article, held = await done(make_processing_article, owner)
    async with open_socket(site, f"/ws/articles/{article.pk}?after=999999", key) as line:
        await line.next()
        await done(write_changes, held, [step_started("write:1")])
        assert (await line.next())["seq"] == article.last_seq + 1


# The page's socket


async def test_the_page_receives_html_and_drafts_as_json(site: str, owner: User, key: str) -> None:
    article, held = await done(make_processing_article, owner)
    async with open_socket(site, f"/ws/articles/{article.pk}/page/?after={article.last_seq}", key) as line:
        await asyncio.sleep(0.2)  # nothing is sent on connect: the page already shows it
        await done(do_step, held, "outline:plan", done="Planned 2 sections")
        html = ""
        while f'data-seq="{article.last_seq + 2}"' not in html:
            html = await line.text()
            assert 'id="seq"' in html or '"alive"' in html
        assert "Planned 2 sections" in html
        await get_channel_layer().group_send(
            group_name(article.pk), drafts_message(article.pk, [{"step": "write:1", "offset": 0, "text": "Flat"}])
        )
        while (received := await line.next())["type"] == "alive":
            pass
        assert (received["type"], received["drafts"]) == ("drafts", [{"step": "write:1", "offset": 0, "text": "Flat"}])
        await done(fail_run, held, "The quota is used up.", FailureCode.MODEL_QUOTA)
        html = ""
        while "Failed: The quota is used up." not in html:
            html = await line.text()
        while (received := await line.next())["type"] == "alive":
            pass
        assert received["type"] == "final"


async def test_the_page_gets_how_a_run_ended_before_all_panels(site: str, owner: User, key: str) -> None:
    article, held = await done(make_processing_article, owner)
    await done(complete_run, held, make_manuscript(), notice="Check it.")
    newest = await Article.objects.values_list("last_seq", flat=True).aget(pk=article.pk)
    path = f"/ws/articles/{article.pk}/page/?after={article.last_seq}"
    async with open_socket(site, path, key) as line:
        outcome = await line.text()
    assert f'data-event="{newest}"' in outcome
    assert 'data-status="completed"' in outcome
    assert "Check it." in outcome
    assert "data-seq=" not in outcome, "the page would not ask for the panels if it lost the socket now"
    assert "-body" not in outcome
    async with open_socket(site, path, key) as line:  # as a page that has lost it
        assert await line.text() == outcome
        panels = await line.text()
        assert f'data-seq="{newest}"' in panels
        assert 'id="article-body"' in panels
        assert (await line.next())["type"] == "final"


async def test_panels_are_rendered_once_for_all_pages(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    article = await done(make_completed_article, owner)
    rendered: list[int] = []

    def fragments(article: Article, events: object) -> str:
        rendered.append(article.pk)
        return "<p></p>"

    monkeypatch.setattr(consumers, "fragments", fragments)
    snapshot = await snapshots.coalesced_snapshot(consumers.ArticlePageConsumer.render_events, article.pk, 0)
    assert snapshot
    assert snapshot.slow_text
    assert await asyncio.gather(*(snapshot.slow_text.read() for _ in range(5))) == ["<p></p>"] * 5
    assert await snapshot.slow_text.read() == "<p></p>"
    assert rendered == [article.pk]
