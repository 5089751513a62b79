"""Log lines have their context in both formats, and never contain secrets."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import django_rq
import pytest
from channels.routing import URLRouter
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import AnonymousUser, User
from django.test import Client
from django.urls import reverse
from structlog.contextvars import bind_contextvars, bound_contextvars, clear_contextvars, get_contextvars

from agents.contract import SectionText
from agents.pipeline.steps import StepKey, StepSpec
from agents.worker import jobs
from articles.live.draft_stream import DraftStream
from articles.live.routing import sockets
from articles.models import ApiKey, Run, Status
from articles.runs.journal import RunJournal
from articles.runs.recovery import sweep
from articles.services import BriefInput, NewSource, create_article
from contentstudio.logs import LogFormatter, as_json_line, current_request, logging_config
from tests import prompts
from tests.articles.clients import client_of
from tests.environment import ROOT
from tests.factories import UserFactory, claim, make_article, make_processing_article
from tests.model_server import ModelServer
from tests.waiting import wait_until
from tests.worker_pool import running_workers

SURVEY = NewSource(title="Survey", text="Flat roofs are the largest unused surface of most cities and hold rain. " * 12)
KEY = "sk-this-key-must-not-be-logged"


@pytest.fixture(autouse=True)
def nothing_bound() -> Iterator[None]:
    clear_contextvars()
    current_request.set(None)
    yield
    clear_contextvars()
    current_request.set(None)


class Log:
    """The log output."""

    def __init__(self, style: str, secrets: list[str]) -> None:
        self.stream = io.StringIO()
        self.handler = logging.StreamHandler(self.stream)
        self.handler.setFormatter(LogFormatter(style, secrets))

    @property
    def text(self) -> str:
        return self.stream.getvalue()

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.splitlines()]

    def of(self, logger: str) -> list[dict[str, Any]]:
        return [line for line in self.lines if line["logger"] == logger]


@pytest.fixture
def log(request: pytest.FixtureRequest) -> Iterator[Log]:
    """The log as JSON; parametrised indirectly, in another style."""
    found = Log(getattr(request, "param", "json"), [KEY])
    root = logging.getLogger()
    root.addHandler(found.handler)
    before, root.level = root.level, logging.INFO
    yield found
    root.removeHandler(found.handler)
    root.level = before


class TestALine:
    def test_it_has_time_level_logger_and_event(self, log: Log) -> None:
        logging.getLogger("some.where").warning("%d apples", 3)
        [line] = log.lines
        assert list(line) == ["time", "level", "logger", "event"]
        assert (line["level"], line["logger"], line["event"]) == ("warning", "some.where", "3 apples")
        assert abs((datetime.now(UTC) - datetime.fromisoformat(line["time"])).total_seconds()) < 5

    def test_it_has_its_context(self, log: Log) -> None:
        bind_contextvars(request_id="r1", run_id=7)
        with bound_contextvars(step="write:3"):
            logging.getLogger("some.where").info("Done.", extra={"article_id": 5, "anything": object()})
        [line] = log.lines
        assert {name: line[name] for name in list(line)[4:]} == {
            "request_id": "r1",
            "run_id": 7,
            "article_id": 5,
            "step": "write:3",
        }

    def test_a_traceback_is_part_of_it(self, log: Log) -> None:
        try:
            dict[str, str]()["nowhere\nto be found"]
        except LookupError:
            logging.getLogger("some.where").exception("It failed.")
        [line] = log.lines
        assert r"KeyError: 'nowhere\nto be found'" in line["exception"]
        assert "test_logs.py" in line["exception"]

    @pytest.mark.parametrize("log", ["console"], indirect=True)
    def test_the_console_format(self, log: Log) -> None:
        logging.getLogger("some.where").info("Done.")
        with bound_contextvars(run_id=7, request_id="r1"):
            logging.getLogger("some.where").warning("Not done.")
        assert log.text == ("INFO some.where: Done.\nWARNING some.where: Not done. [request_id=r1 run_id=7]\n")

    @pytest.mark.parametrize("log", ["json", "console"], indirect=True)
    def test_secrets_are_removed_from_message_and_traceback(self, log: Log) -> None:
        try:
            dict[str, str]()[f"Authorization: Bearer {KEY}"]
        except LookupError:
            logging.getLogger("some.where").exception("Sent %s", KEY)
        assert KEY not in log.text
        assert log.text.count("Bearer …") == 1

    def test_passwords_in_urls_are_secrets(self) -> None:
        config = logging_config("json", "INFO", ["", "short"], ["redis://:pass%20word@host/0", "sqlite:////x", ""])
        line = LogFormatter("json", config["formatters"]["lines"]["secrets"])
        record = logging.LogRecord("a", logging.INFO, "", 0, "short pass%20word", (), None)
        assert json.loads(line.format(record))["event"] == "short …"

    @pytest.mark.parametrize(
        ("address", "hidden", "shown"),
        [
            ("https://tok-3n-of-mine@search.example/x", "tok-3n-of-mine", "search.example"),
            ("https://models.example/v1?api-version=1&code=abc%2Fdef", "abc%2Fdef abc/def", "models.example"),
            ("postgres://studio:p%40ssword@host/db?sslmode=require", "p%40ssword p@ssword", "studio require"),
            ("postgres://studio@host/db?password=in-the-query", "in-the-query", "studio host"),
        ],
    )
    def test_credentials_in_urls_are_secret_quoted_and_unquoted(self, address: str, hidden: str, shown: str) -> None:
        config = logging_config("json", "INFO", [], [address])
        line = LogFormatter("json", config["formatters"]["lines"]["secrets"])
        event = json.loads(line.format(logging.LogRecord("a", logging.INFO, "", 0, f"{hidden} {shown}", (), None)))[
            "event"
        ]
        assert not any(word in event for word in hidden.split())
        assert event.endswith(shown)

    def test_output_of_other_programs_becomes_json(self) -> None:
        ours = '{"time": "2026-11-22T09:30:12Z", "event": "ours"}'
        assert as_json_line("web", ours) == ours
        line = json.loads(as_json_line("redis", "Ready to accept connections"))
        assert (line["logger"], line["level"], line["event"]) == ("redis", "info", "Ready to accept connections")


@pytest.mark.django_db
class TestARequest:
    @pytest.fixture(autouse=True)
    def _plain_static_files(self, settings: Any) -> None:
        """Static files by their plain names, because none were collected."""
        plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
        settings.STORAGES = {**settings.STORAGES, "staticfiles": plain}

    def test_its_id_is_in_its_lines_and_in_the_response(self, log: Log, client: Client) -> None:
        answers = [client.get("/api/articles/no-such-thing/at-all") for _ in range(2)]
        ids = [answer.headers["X-Request-ID"] for answer in answers]
        assert all(re.fullmatch("[0-9a-f]{16}", one) for one in ids)
        assert ids[0] != ids[1]
        assert [line["request_id"] for line in log.of("django.request")] == ids

    @pytest.mark.parametrize("given", ["proxy-4f.1_a", "x" * 64])
    def test_a_proxys_id_is_kept(self, client: Client, settings: Any, given: str) -> None:
        settings.BEHIND_PROXY = True
        assert client.get("/api/", headers={"X-Request-ID": given}).headers["X-Request-ID"] == given
        settings.BEHIND_PROXY = False
        assert client.get("/api/", headers={"X-Request-ID": given}).headers["X-Request-ID"] != given

    @pytest.mark.parametrize("given", ["", "x" * 65, "a b", "a\nb", "é", '"}'])
    def test_an_id_that_could_break_a_line_is_replaced(self, client: Client, settings: Any, given: str) -> None:
        settings.BEHIND_PROXY = True
        assert client.get("/api/", headers={"X-Request-ID": given}).headers["X-Request-ID"] != given

    def test_an_api_key_in_a_path_or_query_is_removed(self, log: Log, client: Client) -> None:
        _, key = ApiKey.objects.issue(UserFactory.create(), "tests")
        client.get(f"/api/articles/{key}")
        client.get(f"/nowhere/{key}/?key={key}")
        assert len(log.of("django.request")) == 2
        assert key not in log.text
        assert "/api/articles/…" in log.text

    def test_its_user_is_logged_if_loaded(self, log: Log, client: Client) -> None:
        user = UserFactory.create()
        client_of(user).get("/api/articles/999")
        client.force_login(user)
        client.get(reverse("article_detail", args=[999]))
        client.logout()
        client.get("/api/articles/999")
        assert [line.get("user_id") for line in log.of("django.request")] == [user.pk, user.pk, None]

    def test_logging_does_not_query_the_session(self, log: Log, client: Client, django_assert_num_queries: Any) -> None:
        client.force_login(UserFactory.create())
        with django_assert_num_queries(0):
            client.get("/api/no-such-thing")
        assert log.of("django.request")

    def test_its_id_is_passed_to_the_job(self, client: Client, django_capture_on_commit_callbacks: Any) -> None:
        api = client_of(UserFactory.create())
        with django_capture_on_commit_callbacks(execute=True):
            answer = api.post("/api/articles/create", {"topic": "Rooftop gardens"}, content_type="application/json")
        [job] = django_rq.get_queue("articles").jobs
        assert job.meta == {"request_id": answer.headers["X-Request-ID"]}


@pytest.mark.django_db(transaction=True)
async def test_a_refused_socket_logs_one_line(log: Log) -> None:
    watcher = WebsocketCommunicator(URLRouter(sockets), "/ws/articles/7")
    watcher.scope["user"] = AnonymousUser()
    await watcher.connect()
    assert "API key" in (await watcher.receive_json_from())["detail"]
    await watcher.disconnect()
    [line] = log.of("articles.live.consumers")
    assert (line["article_id"], line["event"].partition(":")[0]) == (7, "socket refused (4401)")


@pytest.mark.django_db(transaction=True)
class TestARun:
    @pytest.fixture
    def owner(self, transactional_db: None) -> User:
        return UserFactory.create()

    @pytest.fixture
    def model(self, settings: Any) -> Iterator[ModelServer]:
        with ModelServer() as server:
            settings.OPENAI_BASE_URL, settings.OPENAI_API_KEY, settings.HAS_MODEL = server.url, KEY, True
            settings.SEARCH_PROVIDER = "none"
            yield server

    def write(self, owner: User, **brief: Any) -> Run:
        article = make_article(owner, sources=(SURVEY,), min_words=300, **brief)
        run = article.runs.get()
        jobs.run_now(run.pk)
        run.refresh_from_db()
        return run

    def test_its_failure_logs_one_line_with_the_cause(self, log: Log, model: ModelServer, owner: User) -> None:
        model.fail(status=401, times=50)
        run = self.write(owner)
        assert run.status == Status.FAILED
        [line] = [each for each in log.lines if "failed" in each["event"]]
        assert (line["level"], line["run_id"], line["article_id"]) == ("warning", run.pk, run.article_id)
        assert "The model key is invalid (401)" in line["event"]
        assert KEY not in log.text

    def test_a_provider_error_has_its_step(self, log: Log, model: ModelServer, owner: User) -> None:
        model.fail(match=prompts.WRITE, status=400, times=50)
        run = self.write(owner, include_image=False)
        lines = [line for line in log.of("agents.llm.retry") if "gave up after attempt 1" in line["event"]]
        assert {(line["run_id"], line["step"].partition(":")[0]) for line in lines} == {(run.pk, "write")}

    def test_a_failed_image_logs_one_line(self, log: Log, model: ModelServer, owner: User) -> None:
        model.fail(path="/images/generations", status=400, times=50)
        run = self.write(owner, include_image=True)
        assert run.status == Status.COMPLETED
        [line] = [each for each in log.lines if "has no image" in each["event"]]
        assert (line["run_id"], line["level"]) == (run.pk, "warning")

    def test_a_run_failed_by_the_sweeper_logs_one_line(self, log: Log, owner: User, settings: Any) -> None:
        settings.MAX_ATTEMPTS, settings.LEASE_SECONDS = 1, -1
        article, _ = make_processing_article(owner)
        sweep()
        [line] = log.of("articles.runs.recovery")
        assert (line["article_id"], line["event"].partition(":")[0]) == (article.pk, f"run {line['run_id']} failed")

    def test_each_step_has_its_own_lines(self, log: Log, owner: User) -> None:
        held = claim(make_article(owner))

        async def both() -> None:
            journal = RunJournal(held, DraftStream(held.article_id))
            await asyncio.gather(*(journal.once(logging_step(key)) for key in ("write:1", "write:2")))

        asyncio.run(both())
        assert sorted((line["step"], line["event"]) for line in log.of("tests")) == [
            ("write:1", "at write:1"),
            ("write:2", "at write:2"),
        ]
        assert "step" not in get_contextvars()


def logging_step(key: str) -> StepSpec[SectionText]:
    """A step that logs after the others have started."""

    async def perform() -> SectionText:
        await asyncio.sleep(0.01)
        logging.getLogger("tests").info("at %s", key)
        return SectionText(markdown="")

    return StepSpec(StepKey.parse(key), SectionText, perform, doing="Working", done=lambda made: "Done")


@pytest.mark.django_db(transaction=True)
def test_a_workers_lines_have_the_id_of_the_request(
    program_environment: dict[str, str], redis: Any, tmp_path: Path
) -> None:
    """A real worker process with JSON logs and a model that refuses: every line is JSON, and none contains the key."""
    with ModelServer() as model:
        model.fail(status=401, times=50)
        chosen = {"OPENAI_BASE_URL": model.url, "OPENAI_API_KEY": KEY, "SEARCH_PROVIDER": "none", "LOG_FORMAT": "json"}
        log = (tmp_path / "log").open("w+")
        with log, running_workers(redis, {**program_environment, **chosen}, count=1, stdout=log, stderr=log):
            bind_contextvars(request_id="the-one-that-asked")
            article = create_article(
                by=UserFactory.create(), brief=BriefInput(topic="Rooftop gardens"), sources=(SURVEY,)
            )
            wait_until(lambda: Run.objects.get(article=article).status == Status.FAILED)
            broken = django_rq.get_queue("articles").enqueue("agents.worker.jobs.run_now", "not a number")
            wait_until(lambda: broken.get_status(refresh=True) == "failed")
    output = (tmp_path / "log").read_text()
    lines = [json.loads(line) for line in re.findall(r"^\{.*\}$", output, re.MULTILINE)]
    [fault] = [line for line in lines if "exception raised while executing" in line["event"]]
    assert "ValueError" in fault["event"]
    assert fault["run_id"] == "not a number"
    [line] = [line for line in lines if "failed" in line["event"] and line is not fault]
    assert (line["request_id"], line["article_id"]) == ("the-one-that-asked", article.pk)
    assert KEY not in output


def test_an_unknown_format_is_refused_at_start() -> None:
    started = subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), "check"],
        env={**os.environ, "LOG_FORMAT": "yaml", "DJANGO_SETTINGS_MODULE": "contentstudio.settings"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert started.returncode != 0
    assert 'LOG_FORMAT" invalid' in started.stderr
    assert "console, json" in started.stderr
