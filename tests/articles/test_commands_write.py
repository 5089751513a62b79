"""``manage.py write``: a whole run in this process, with the built-in writer and with a model server."""

from __future__ import annotations

import io
import json
import logging
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

from articles.live import receivers
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
    """No Redis is running; restores the channel layer afterwards."""
    settings.REDIS_ADDRESS = f"unix://{tmp_path}/none.sock"
    layer = channel_layers.backends.get("default")
    yield
    channel_layers.set("default", layer)
    receivers.connect()


def write(*arguments: object) -> tuple[str, str]:
    """The command's stdout and stderr."""
    out, err = io.StringIO(), io.StringIO()
    call_command("write", TOPIC, "--words", "300", *map(str, arguments), stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def test_it_prints_the_article_and_its_progress_on_stderr(notes: Path) -> None:
    out, err = write("--source", notes)
    assert out.startswith("# ")
    assert "Planted roofs run eleven degrees cooler" in " ".join(out.split())
    assert "notes.txt" in out
    for agent in ("ResearchAgent", "OutlineAgent", "WriterAgent", "EditorAgent", "SEOAgent", "ImageAgent"):
        assert agent in err
    assert "100 %" in err
    assert len(re.findall(r"^\d.* %  ", err, re.MULTILINE)) == Event.objects.count()
    assert Article.objects.get().status == Status.COMPLETED


def test_it_names_the_built_in_writer(notes: Path) -> None:
    _, err = write("--source", notes)
    assert "built-in extractive writer" in err


def test_it_enqueues_no_job(notes: Path, redis: Redis) -> None:
    write("--source", notes)
    assert redis.llen("rq:queue:articles") == 0


def test_it_works_without_redis(notes: Path, no_redis: None, caplog: pytest.LogCaptureFixture) -> None:
    write("--source", notes)
    assert Article.objects.get().status == Status.COMPLETED
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert isinstance(channel_layers["default"], InMemoryChannelLayer)


@pytest.mark.parametrize(
    ("suffix", "beginning"), [(".md", b"# "), (".html", b"<!"), (".pdf", b"%PDF"), (".docx", b"PK"), (".epub", b"PK")]
)
def test_it_writes_the_article_to_a_file(notes: Path, tmp_path: Path, suffix: str, beginning: bytes) -> None:
    out, err = write("--source", notes, "--no-image", "--no-seo", "--out", tmp_path / f"article{suffix}")
    assert (tmp_path / f"article{suffix}").read_bytes().startswith(beginning)
    assert out == ""
    assert f"article{suffix}: " in err


def test_the_options_set_the_brief(notes: Path) -> None:
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
    options = (article.tone, article.target_audience, article.include_image, article.seo_optimize, article.keywords)
    assert options == ("friendly", "students", False, False, ["a", "b"])


def test_voice_and_required_sources_are_options(notes: Path) -> None:
    voice = Voice.objects.create(name="House style", description="Dry.")
    write("--source", notes, "--no-image", "--voice", "House style", "--require-sources")
    article = Article.objects.get()
    assert (article.voice, article.allow_uncited, article.approve_outline) == (voice, False, False)


def test_the_way_of_writing_is_an_option(notes: Path) -> None:
    write("--source", notes, "--no-image", "--writing", "whole")
    assert Article.objects.get().writing == "whole"
    with pytest.raises(CommandError, match="argument --writing: invalid choice"):
        write("--source", notes, "--writing", "backwards")


def test_an_unknown_voice_is_refused_before_anything_is_created(notes: Path) -> None:
    with pytest.raises(CommandError, match="--voice: There is no voice “House”"):
        write("--source", notes, "--voice", "House")
    assert not Article.objects.exists()


def test_a_configured_model_writes(with_model: ModelServer) -> None:
    out, _ = write()
    assert out.startswith("# ")
    assert with_model.calls


def test_a_failed_run_prints_its_reason(with_model: ModelServer) -> None:
    with_model.fail(status=401, times=99)
    with pytest.raises(CommandError, match="Check OPENAI_API_KEY"):
        write()
    assert Article.objects.get().status == Status.FAILED


def test_an_interrupt_cancels_the_run(with_model: ModelServer) -> None:
    with_model.fail(hang=20, times=99)
    before = signal.getsignal(signal.SIGINT)

    def interrupt(sender: Any, *, article_id: int, last: int, **kwargs: Any) -> None:
        if Event.objects.get(article=article_id, seq=last).payload.get("step") == "outline:plan":
            os.kill(os.getpid(), signal.SIGINT)

    events_recorded.connect(interrupt)
    with pytest.raises(CommandError, match="Cancelled") as stopped:
        write()
    events_recorded.disconnect(interrupt)
    assert stopped.value.returncode == 130
    assert Article.objects.get().status == Status.CANCELLED
    assert signal.getsignal(signal.SIGINT) is before


class TestOwner:
    def test_it_is_the_first_superuser(self, notes: Path) -> None:
        UserFactory.create()
        first, _ = StaffFactory.create(), StaffFactory.create()
        write("--source", notes)
        assert Article.objects.get().owner == first

    def test_it_is_the_user_given_as_option(self, notes: Path) -> None:
        StaffFactory.create()
        user = UserFactory.create(username="nora")
        write("--source", notes, "--user", "nora")
        assert Article.objects.get().owner == user

    def test_without_users_one_without_a_password_is_created(self, notes: Path) -> None:
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
    def test_invalid_options_are_refused_before_anything_is_created(self, arguments: list[str], reason: str) -> None:
        with pytest.raises(CommandError, match=reason):
            write(*arguments)
        assert not Article.objects.exists()

    def test_a_short_topic_is_refused(self) -> None:
        with pytest.raises(CommandError, match="TOPIC: Use at least 5"):
            call_command("write", "abc")

    def test_missing_migrations_are_refused(self) -> None:
        applied, (newest,) = MigrationRecorder(connection), MigrationLoader(connection).graph.leaf_nodes("articles")
        applied.record_unapplied(*newest)
        try:
            with pytest.raises(CommandError, match="Run `make run`"):
                write()
        finally:
            applied.record_applied(*newest)

    def test_an_unwritable_file_keeps_the_article(self, notes: Path, tmp_path: Path) -> None:
        (tmp_path / "article.md").mkdir()
        with pytest.raises(CommandError, match="is finished but could not be saved"):
            write("--source", notes, "--out", tmp_path / "article.md")
        assert Article.objects.get().status == Status.COMPLETED


def test_a_closed_stderr_does_not_stop_the_article(program_environment: dict[str, str], tmp_path: Path) -> None:
    """``manage.py write … --out FILE 2>&1 | head -1``: the reader exits after a line."""
    StaffFactory.create()
    out = tmp_path / "article.md"
    command = [sys.executable, str(ROOT / "manage.py"), "write", "Rooftop gardens", "--no-image", "--out", str(out)]
    process = subprocess.Popen(command, env=program_environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.wait(timeout=120) == 0
    assert out.read_text()


def test_it_takes_a_list_of_sources_with_their_details(notes: Path, tmp_path: Path) -> None:
    report = {
        "title": "Report",
        "text": notes.read_text(),
        "url": "https://example.org/report",
        "publisher": "Institute",
        "kind": "own notes of a visit",
    }
    listed = tmp_path / "sources.json"
    listed.write_text(json.dumps([report | {"author": "A. Writer", "date": "2024-05"}]))
    write("--sources", listed, "--no-image", "--no-seo")
    article = Article.objects.get()
    stored = article.sources.get()
    assert (stored.url, stored.publisher, stored.author, stored.date) == (
        *("https://example.org/report", "Institute", "A. Writer", "2024-05"),
    )
    assert article.research_data is not None
    read = article.research_data["sources"][0]
    assert (read["publisher"], read["kind"]) == ("Institute", "own notes of a visit")


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("{", "cannot be read"),
        ('{"text": "a"}', "must contain a list"),
        ('[{"text": "a"}, {"text": "a", "date": "May"}]', "source 2: date: Is not a date"),
        ('[{"title": "Empty"}]', "source 1: Give text, url or both"),
        ('[{"text": "a", "link": "b"}]', "source 1: unknown field link"),
    ],
)
def test_a_wrong_list_of_sources_is_refused(tmp_path: Path, content: str, problem: str) -> None:
    listed = tmp_path / "sources.json"
    listed.write_text(content)
    with pytest.raises(CommandError, match=problem):
        write("--sources", listed)
    assert not Article.objects.exists()
