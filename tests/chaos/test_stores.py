"""Outages of Redis, the disk and PostgreSQL during a run: it waits, and neither loses nor repeats work."""

from __future__ import annotations

import subprocess
from collections import Counter

import pytest
from redis import Redis

from tests import prompts
from tests.chaos.killing import empty
from tests.chaos.store import Cluster
from tests.chaos.studio import LiveStudio
from tests.chaos.witness import asked, asked_twice, completions, faults_in, faults_of
from tests.model_server import ModelServer
from tests.waiting import wait_until

pytestmark = pytest.mark.each_store

OUTLINE = prompts.PLAN


def begun(studio: LiveStudio, model: ModelServer, topic: str) -> int:
    """An article whose sections are being written."""
    article = studio.order(topic)
    wait_until(lambda: bool(model.prompts(prompts.WRITE)))
    return article


def finished(studio: LiveStudio, model: ModelServer, article: int) -> str:
    """Wait until the article is completed; the messages of its events."""
    wait_until(lambda: studio.status(article) == "completed", seconds=120)
    log = studio.events(article)
    assert list(faults_of(log)) == list(faults_in(studio.result(article))) == []
    assert list(asked_twice(asked(model, studio.topics()), {article: log})) == []
    return " ".join(event["message"] for event in log)


def test_redis_may_be_killed_and_emptied_during_a_run(studio: LiveStudio, model: ModelServer) -> None:
    article = begun(studio, model, "Roofs of a town without Redis")
    (redis,) = studio.members("redis")
    empty(studio)
    redis.kill()
    assert "was lost" not in finished(studio, model, article)


def test_a_job_that_was_lost_with_redis_is_submitted_again(studio: LiveStudio, model: ModelServer) -> None:
    model.token_seconds = 0.1  # no place may become free before the job is submitted again
    blockers = [studio.order(f"Roofs that take place {number}", min_words=900) for number in range(studio.places)]
    wait_until(lambda: len(studio.holders()) == studio.places)
    waiting = studio.order("Roofs that wait their turn")
    with Redis(unix_socket_path=str(studio.var / "redis.sock")) as redis:
        assert redis.llen("rq:queue:articles") > 0
        empty(studio)
        wait_until(lambda: redis.llen("rq:queue:articles") == 1)
    model.token_seconds = 0.001
    for article in [*blockers, waiting]:
        assert "was lost" not in finished(studio, model, article)


def test_a_full_disk_only_fails_the_image(studio: LiveStudio, model: ModelServer) -> None:
    media = studio.var / "media"
    media.mkdir(exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", "size=4k", "full", str(media / "covers")]
    (media / "covers").mkdir(exist_ok=True)
    if subprocess.run(mount, check=False).returncode:
        pytest.skip("only root can make a disk that is full")
    try:
        (media / "covers" / "filler").write_bytes(b"x" * 4096)
        article = studio.order("Roofs of a town whose disk is full")
        wait_until(lambda: studio.status(article) == "completed", seconds=120)
    finally:
        subprocess.run(["umount", "--lazy", media / "covers"], check=True)
    log, result = studio.events(article), studio.result(article)
    assert list(faults_of(log)) == []
    assert result["image_url"] is None
    assert "The image could not be saved: No space left on device." in result["notice"]
    assert {event["status"] for event in log if event.get("step") == "image:draw"} == {"started", "failed"}


def test_postgresql_may_be_restarted_during_a_run(
    studio: LiveStudio, model: ModelServer, cluster: Cluster | None
) -> None:
    if cluster is None:
        pytest.skip("the tests run on SQLite, which has no server")
    article = begun(studio, model, "Roofs of a town whose database restarts")
    cluster.restart()
    assert "was lost" not in finished(studio, model, article)


def test_postgresql_may_be_restarted_during_a_call_longer_than_a_lease(
    studio: LiveStudio, model: ModelServer, cluster: Cluster | None
) -> None:
    if cluster is None:
        pytest.skip("the tests run on SQLite, which has no server")
    model.fail(match=OUTLINE, hang=20)
    article = studio.order("Roofs of a town whose database restarts during a call")
    # Nothing is written until the outline arrives, so only the lease uses the broken connection.
    wait_until(lambda: model.prompts(OUTLINE) and "research:read" in completions(studio.events(article)))
    cluster.restart()
    assert "was lost" not in finished(studio, model, article)
    assert set(Counter(model.prompts(OUTLINE)).values()) == {1}
