"""``manage.py write``: the whole job in this process, with the built-in writer and with a model's server."""

from __future__ import annotations

import io
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from channels.layers import InMemoryChannelLayer, channel_layers
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from redis import Redis

from articles.models import Article, Event, Status, Voice
from articles.signals import events_recorded
from tests.agents.conftest import model_server, running_model_server  # noqa: F401  (fixtures)
from tests.environment import ROOT
from tests.factories import StaffFactory, UserFactory
from tests.model_server import ModelServer

pytestmark = pytest.mark.django_db(transaction=True)

TOPIC = "Rooftop gardens in the city"
NOTES = """Flat roofs are the largest unused surface of most cities. A survey of twelve cities in 2024 found that roofs make up
a third of the built area. Planted roofs run eleven degrees cooler than bare ones on summer afternoons.

Rain is held as well as heat. A bed of fifteen centimetres keeps back sixty per cent of the rain of an ordinary year. Sewers
that overflow in storms are relieved, and streets stay dry for longer.

Weight is the first question. A saturated bed weighs between 95 and 180 kilograms per square metre, so a structural engineer
has to be asked before a gardener.
"""


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    path = tmp_path / "notes.txt"
    path.write_text(NOTES)
    return path


@pytest.fixture
def with_model(model_server: ModelServer, settings: LazySettings) -> ModelServer:  # noqa: F811
    settings.HAS_MODEL, settings.OPENAI_BASE_URL, settings.IMAGE_MODEL = True, model_server.url, ""
    return model_server


@pytest.fixture
def no_redis(settings: LazySettings, tmp_path: Path) -> Iterator[None]:
    """A studio whose Redis is not running; the channel layer is put back after."""
    settings.REDIS_ADDRESS = f"unix://{tmp_path}/none.sock"
    layer = channel_layers.backends.get("default")
    yield
    channel_layers.set("default", layer)


def write(*arguments: object) -> tuple[str, str]:
    """What the command says on its output and beside it."""
    out, beside = io.StringIO(), io.StringIO()
    call_command("write", TOPIC, "--words", "300", *map(str, arguments), stdout=out, stderr=beside)
    return out.getvalue(), beside.getvalue()


def test_it_prints_the_article_and_tells_its_progress_beside(notes: Path) -> None:
    out, beside = write("--source", notes)
    assert out.startswith("# ")
    assert "Planted roofs run eleven degrees cooler" in " ".join(out.split())
    assert "notes.txt" in out
    for agent in ("ResearchAgent", "OutlineAgent", "WriterAgent", "EditorAgent", "SEOAgent", "ImageAgent"):
        assert agent in beside
    assert "100 %" in beside
    assert len(re.findall(r"^\d.* %  ", beside, re.MULTILINE)) == Event.objects.count()
    assert Article.objects.get().status == Status.COMPLETED


def test_it_says_who_wrote(notes: Path) -> None:
    _, beside = write("--source", notes)
    assert "built-in extractive writer" in beside


def test_no_worker_is_called_to_it(notes: Path, redis: Redis) -> None:
    write("--source", notes)
    assert redis.llen("rq:queue:articles") == 0


def test_it_works_without_redis(notes: Path, no_redis: None) -> None:
    write("--source", notes)
    assert Article.objects.get().status == Status.COMPLETED
    assert isinstance(channel_layers["default"], InMemoryChannelLayer)


@pytest.mark.parametrize(
    ("suffix", "beginning"), [(".md", b"# "), (".html", b"<!"), (".pdf", b"%PDF"), (".docx", b"PK"), (".epub", b"PK")]
)
def test_it_puts_the_article_into_a_file(notes: Path, tmp_path: Path, suffix: str, beginning: bytes) -> None:
    out, beside = write("--source", notes, "--no-image", "--no-seo", "--out", tmp_path / f"article{suffix}")
    assert (tmp_path / f"article{suffix}").read_bytes().startswith(beginning)
    assert out == ""
    assert f"article{suffix}: " in beside


def test_the_brief_is_what_was_asked_for(notes: Path) -> None:
    write(
        "--source",
        notes,
        "--tone",
        "friendly",
        "--audience",
        "students",
        "--no-image",
        "--no-seo",
        "--keywords",
        "a, b",
    )
    article = Article.objects.get()
    asked = (article.tone, article.target_audience, article.include_image, article.seo_optimize, article.keywords)
    assert asked == ("friendly", "students", False, False, ["a", "b"])


def test_a_voice_and_the_need_of_sources_are_options(notes: Path) -> None:
    voice = Voice.objects.create(name="House style", description="Dry.")
    write("--source", notes, "--no-image", "--voice", "House style", "--require-sources")
    article = Article.objects.get()
    assert (article.voice, article.allow_uncited, article.approve_outline) == (voice, False, False)


def test_a_voice_that_is_not_there_is_refused_before_anything_is_made(notes: Path) -> None:
    with pytest.raises(CommandError, match="--voice: There is no voice “House”"):
        write("--source", notes, "--voice", "House")
    assert not Article.objects.exists()


def test_a_model_writes_where_there_is_one(with_model: ModelServer) -> None:
    out, _ = write()
    assert out.startswith("# ")
    assert with_model.calls


def test_a_run_that_fails_gives_its_reason(with_model: ModelServer) -> None:
    with_model.fail(status=401, times=99)
    with pytest.raises(CommandError, match="Check OPENAI_API_KEY"):
        write()
    assert Article.objects.get().status == Status.FAILED


def test_an_interrupt_cancels_the_run(with_model: ModelServer) -> None:
    with_model.fail(hang=20, times=99)
    before = signal.getsignal(signal.SIGINT)

    def interrupt(sender: Any, *, article_id: int, last: int, **kwargs: Any) -> None:
        if Event.objects.get(article=article_id, seq=last).payload.get("step") == "research:plan":
            os.kill(os.getpid(), signal.SIGINT)

    events_recorded.connect(interrupt)
    with pytest.raises(CommandError, match="Cancelled") as stopped:
        write()
    events_recorded.disconnect(interrupt)
    assert stopped.value.returncode == 130
    assert Article.objects.get().status == Status.CANCELLED
    assert signal.getsignal(signal.SIGINT) is before


class TestWhose:
    def test_it_is_the_first_superusers(self, notes: Path) -> None:
        UserFactory()
        first, _ = StaffFactory(), StaffFactory()
        write("--source", notes)
        assert Article.objects.get().owner == first

    def test_it_is_the_users_that_was_named(self, notes: Path) -> None:
        StaffFactory()
        user = UserFactory(username="nora")
        write("--source", notes, "--user", "nora")
        assert Article.objects.get().owner == user

    def test_without_users_it_is_one_who_cannot_sign_in(self, notes: Path) -> None:
        write("--source", notes)
        write("--source", notes)
        user = User.objects.get()
        assert (user.username, user.has_usable_password()) == ("writer", False)


class TestRefusals:
    @pytest.mark.parametrize(
        ("arguments", "reason"),
        [
            (["--words", "20"], "--words: Enter a whole number from 300 to 5,000"),
            (["--source", "/nowhere/a.txt"], "--source: /nowhere/a.txt cannot be read"),
            (["--source", "ftp://a/b"], "--source: “ftp://a/b” is not a URL"),
            (["--source", __file__], "is not a supported document"),
            (["--language", "klingon"], "--language: Should be a BCP 47 tag"),
            (["--out", "article.xyz"], "must end in one of"),
            (["--out", "/nowhere/article.md"], "there is no directory /nowhere"),
            (["--user", "nobody"], "there is no user “nobody”"),
        ],
    )
    def test_they_come_before_anything_is_written(self, arguments: list[str], reason: str) -> None:
        with pytest.raises(CommandError, match=reason):
            write(*arguments)
        assert not Article.objects.exists()

    def test_a_short_topic(self) -> None:
        with pytest.raises(CommandError, match="TOPIC: Use at least 5"):
            call_command("write", "abc")

    def test_tables_of_another_version(self) -> None:
        applied, (newest,) = MigrationRecorder(connection), MigrationLoader(connection).graph.leaf_nodes("articles")
        applied.record_unapplied(*newest)
        try:
            with pytest.raises(CommandError, match="Run `make run`"):
                write()
        finally:
            applied.record_applied(*newest)

    def test_a_file_that_cannot_be_written_leaves_the_article(self, notes: Path, tmp_path: Path) -> None:
        (tmp_path / "article.md").mkdir()
        with pytest.raises(CommandError, match="is finished but could not be saved"):
            write("--source", notes, "--out", tmp_path / "article.md")
        assert Article.objects.get().status == Status.COMPLETED


def test_a_closed_pipe_ends_the_progress_and_not_the_article(
    program_environment: dict[str, str], tmp_path: Path
) -> None:
    """``manage.py write … --out FILE 2>&1 | head -1``: the reader leaves after a line."""
    StaffFactory()
    out = tmp_path / "article.md"
    command = [sys.executable, str(ROOT / "manage.py"), "write", "Rooftop gardens", "--no-image", "--out", str(out)]
    process = subprocess.Popen(command, env=program_environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.wait(timeout=120) == 0
    assert out.read_text()
