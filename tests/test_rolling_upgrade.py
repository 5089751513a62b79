"""The code before the newest migration and the present code, with real processes on one PostgreSQL and one Redis.

An upgrade of several machines looks like this: the migrations are applied, then machine by machine gets the new code.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from subprocess import CompletedProcess

import httpx
import pytest
from django.conf import settings
from django.utils.version import get_version_tuple

from contentstudio.runtime.compatibility import OLDEST_COMPATIBLE
from setup.postgres import new_cluster
from tests.environment import ROOT
from tests.previous_code import check_out, version_of
from tests.test_roles import Machine
from tests.waiting import wait_until

pytestmark = pytest.mark.timeout(480)  # of the first test, whose fixture starts everything

TEXT = (ROOT / "agents" / "samples" / "honey-bees.md").read_text()
BRIEF = {"topic": "Honey bees", "min_words": 300, "sources": [{"text": TEXT}]}


@dataclass
class Upgrade:
    old: Machine
    new: Machine
    migration: CompletedProcess[str]
    backup: CompletedProcess[str]
    articles: dict[str, int] = field(default_factory=dict)
    """By who began and who wrote them."""
    read: dict[str, dict[int, dict[str, str]]] = field(default_factory=dict)
    """What the old and the new web answer."""


class Api:
    """The API of the web process of a machine."""

    def __init__(self, machine: Machine) -> None:
        key = re.findall(r"API key: (\S+)", machine.first_login.read_text())[0]
        address = f"http://127.0.0.1:{machine.port}/api"
        headers = {"Authorization": f"Bearer {key}"}
        self._client = httpx.Client(base_url=address, headers=headers, timeout=10, trust_env=False)

    def is_up(self) -> bool:
        try:
            return self._client.get("/health").status_code in (200, 503)
        except httpx.TransportError:
            return False

    def create(self) -> int:
        answer = self._client.post("/articles/create", json=BRIEF)
        assert answer.status_code == 201, answer.text
        return int(answer.json()["id"])

    def has_ended(self, article: int) -> bool:
        answer = self._client.get(f"/articles/{article}/status")
        assert answer.status_code == 200, answer.text
        return str(answer.json()["status"]) in ("completed", "failed")

    def wait_for(self, *articles: int) -> None:
        for article in articles:
            wait_until(partial(self.has_ended, article), seconds=300)

    def result(self, article: int) -> dict[str, str]:
        answer = self._client.get(f"/articles/{article}/result")
        assert answer.status_code == 200, answer.text
        return {"title": answer.json()["title"], "content": answer.json()["content"]}


@pytest.fixture(scope="module")
def previous(tmp_path_factory: pytest.TempPathFactory) -> Path:
    code = check_out(tmp_path_factory.mktemp("previous"))
    if get_version_tuple(version_of(code)) < get_version_tuple(OLDEST_COMPATIBLE):
        pytest.skip(f"{version_of(code)} is declared incompatible with {settings.VERSION}")
    return code


@pytest.fixture(scope="module")
def upgraded(tmp_path_factory: pytest.TempPathFactory, previous: Path, redis_server: str) -> Iterator[Upgrade]:
    """Articles are begun and written before, during and after the upgrade."""
    directory = tmp_path_factory.mktemp("machines")
    with new_cluster() as cluster, cluster.running(), ExitStack() as running:
        shared = (directory, cluster.url("postgres"), f"{redis_server}?db=5")
        old, new = Machine(*shared, code=previous), Machine(*shared)
        for machine in (old, new):  # the API needs no static files: none are collected
            own = {"STATIC_ROOT": str(directory / "static"), "WEB_PROCESSES": "1", "REQUESTS_PER_MINUTE": "0"}
            machine.environment |= own
        migrated = old.run("manage.py", "studio", "--role", "migrate")
        assert migrated.returncode == 0, migrated.stderr
        running.enter_context(old.running("web"))
        old_worker = running.enter_context(old.running("worker"))
        api = {"old": Api(old)}
        wait_until(api["old"].is_up, seconds=120)
        old.wait_for("worker", "2 workers ready")

        before = [api["old"].create() for _ in range(3)]
        backup = old.run("manage.py", "backup", str(directory / "old.tar.gz"))
        migration = new.run("manage.py", "studio", "--role", "migrate")
        found = Upgrade(old, new, migration, backup)
        found.articles |= {f"old, while migrating, {article}": article for article in before}
        found.articles["old by old"] = api["old"].create()
        api["old"].wait_for(*found.articles.values())

        running.enter_context(new.running("web"))
        api["new"] = Api(new)
        wait_until(api["new"].is_up, seconds=120)
        found.articles["new by old"] = api["new"].create()
        api["new"].wait_for(found.articles["new by old"])
        found.articles["handed over"] = api["old"].create()
        old_worker.terminate()
        running.enter_context(new.running("worker"))
        assert old_worker.wait(60) == 0
        found.articles["old by new"] = api["old"].create()
        api["new"].wait_for(*found.articles.values())
        found.read = {
            name: {article: web.result(article) for article in found.articles.values()} for name, web in api.items()
        }
        yield found


def test_the_database_is_backed_up_and_migrated_while_the_old_processes_run(upgraded: Upgrade) -> None:
    assert upgraded.migration.returncode == 0, upgraded.migration.stderr
    assert "-before-migration.tar.gz, before " in upgraded.migration.stdout
    assert "The backup is complete: " in upgraded.migration.stdout


def test_every_article_is_written_whoever_began_it(upgraded: Upgrade) -> None:
    assert len(upgraded.articles) == 7
    texts = upgraded.read["new"]
    assert [name for name, article in upgraded.articles.items() if not texts[article]["content"]] == []


def test_old_and_new_pages_show_the_same(upgraded: Upgrade) -> None:
    assert upgraded.read["old"] == upgraded.read["new"]


def test_a_backup_of_the_previous_version_is_restored_and_migrated(
    upgraded: Upgrade, tmp_path: Path, redis_server: str
) -> None:
    assert upgraded.backup.returncode == 0, upgraded.backup.stderr
    with new_cluster() as cluster, cluster.running():
        other = Machine(tmp_path, cluster.url("postgres"), f"{redis_server}?db=6")
        restored = other.run("manage.py", "restore", str(upgraded.old.directory / "old.tar.gz"))
        assert restored.returncode == 0, restored.stderr
        assert other.run("manage.py", "migrate", "--check").returncode == 0
        listed = other.run(
            "manage.py", "shell", "-v", "0", "-c", "print(*[a.topic for a in Article.objects.all()], sep='|')"
        )
        assert listed.stdout.strip() == "|".join(["Honey bees"] * 3), listed.stderr


def test_the_previous_version_refuses_a_backup_of_this_one(
    upgraded: Upgrade, tmp_path: Path, redis_server: str
) -> None:
    newer = tmp_path / "new.tar.gz"
    made = upgraded.new.run("manage.py", "backup", str(newer))
    assert made.returncode == 0, made.stderr
    with new_cluster() as cluster, cluster.running():
        old = Machine(tmp_path, cluster.url("postgres"), f"{redis_server}?db=6", code=upgraded.old.code)
        refused = old.run("manage.py", "restore", str(newer))
    assert refused.returncode == 1
    assert f"The backup was made by version {settings.VERSION}" in refused.stderr
    assert "does not have its migration" in refused.stderr
