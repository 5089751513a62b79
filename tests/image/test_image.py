"""The image as it is built: an article is written and exported in one container, and in one container for each role."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest

from agents.samples import __file__ as samples
from contentstudio.runtime import redis_server
from tests.image.building import Image, build, build_database
from tests.image.containers import Container
from tests.test_studio_command import free_port
from tests.waiting import wait_until

pytestmark = pytest.mark.timeout(3600)  # the first build takes minutes

HEALTHCHECK = ("python", "-m", "contentstudio.runtime.healthcheck")
SOURCE = (Path(samples).parent / "rooftop-gardens.md").read_text()


@pytest.fixture(scope="module")
def image() -> Image:
    built = build()
    print(f"\nBuilt in {built.seconds:.0f} s: {built.megabytes:.0f} MB.")
    return built


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A new volume: like the directory of the image, every user can write to it."""
    path = tmp_path / "data"
    path.mkdir()
    path.chmod(0o1777)
    for parent in (tmp_path, *tmp_path.parents[:2]):
        parent.chmod(0o755)
    return path


def write_article(data: Path, port: int) -> None:
    """Over the API, with the first login, by the built-in writer; exported as PDF and EPUB."""
    key = re.findall(r"API key: (\S+)", (data / "studio" / "first-login.txt").read_text())[0]
    address = f"http://127.0.0.1:{port}/api/articles"
    with httpx.Client(headers={"Authorization": f"Bearer {key}"}, timeout=60, trust_env=False) as api:
        brief = {"topic": "Rooftop gardens", "min_words": 300, "include_image": True, "sources": [{"text": SOURCE}]}
        began = time.monotonic()
        made = api.post(f"{address}/create", json=brief)
        assert made.status_code == 201, made.text
        article = f"{address}/{made.json()['id']}"
        wait_until(lambda: api.get(f"{article}/status").json()["status"] in {"completed", "failed"}, seconds=180)
        assert api.get(f"{article}/status").json()["status"] == "completed", api.get(f"{article}/status").text
        print(f"Written in {time.monotonic() - began:.1f} s.")
        for format, begins in (("pdf", b"%PDF-"), ("epub", b"PK")):
            exported = api.get(f"{article}/export/{format}")
            assert exported.status_code == 200, exported.text
            assert exported.content.startswith(begins)


def ready(container: Container, process: subprocess.Popen[bytes]) -> None:
    def is_healthy() -> bool:
        assert process.poll() is None, container.output
        return container.execute(*HEALTHCHECK).returncode == 0

    wait_until(is_healthy, seconds=180)


def test_an_article_is_written_in_one_container(image: Image, tmp_path: Path, data: Path) -> None:
    port = free_port()
    settings = {"PORT": str(port), "WORKERS": "2", "SEARCH_PROVIDER": "none"}
    studio = Container(image, tmp_path, "small", data, settings)
    began = time.monotonic()
    with studio.running() as process:
        ready(studio, process)
        print(f"Healthy after {time.monotonic() - began:.1f} s.")
        write_article(data, port)
        page = httpx.get(f"http://127.0.0.1:{port}/", follow_redirects=True, trust_env=False)
        style = re.findall(r'href="(/static/[^"]+\.css)"', page.text)[0]
        assert httpx.get(f"http://127.0.0.1:{port}{style}", trust_env=False).status_code == 200
        doctor = studio.execute("python", "manage.py", "doctor").stdout
        assert re.search(r"ok +Exports", doctor), doctor
        (data / "notes.md").write_text(SOURCE)
        options = ("--words", "300", "--source", "/data/notes.md", "--out", "/data/article.pdf")
        written = studio.execute("python", "manage.py", "write", "Rooftop gardens", *options)
        assert written.returncode == 0, written.stderr
        assert (data / "article.pdf").read_bytes().startswith(b"%PDF-")
        assert studio.execute("python", "manage.py", "backup", "/data/studio.tar.gz").returncode == 0
    assert process.returncode == 0
    assert "Traceback" not in studio.output, studio.output


def test_it_runs_as_any_user_without_rights(image: Image, tmp_path: Path, data: Path) -> None:
    studio = Container(image, tmp_path, "rights", data, {"PORT": str(free_port()), "WORKERS": "1"})
    code = (
        "import os, pathlib; print(os.getuid(), os.access('/app', os.W_OK), os.access('/', os.W_OK));"
        "print(pathlib.Path('/proc/1/status').read_text())"
    )
    with studio.running() as process:
        ready(studio, process)
        found = studio.execute("python", "-c", code).stdout
    assert found.startswith("4242 False False\n")
    assert re.search(r"CapEff:\s+0+\n", found)
    assert re.search(r"CapBnd:\s+0+\n", found)
    assert re.search(r"NoNewPrivs:\s+1\n", found)


def test_a_volume_of_another_user_is_named(image: Image, tmp_path: Path, data: Path) -> None:
    data.chmod(0o755)
    studio = Container(image, tmp_path, "foreign", data, {})
    with studio.running() as process:
        assert process.wait(60) == 1
    assert studio.output == "VAR is /data/studio, which cannot be created: Permission denied.\n"


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[str]:
    port = free_port()
    command = [str(redis_server.server_binary()), "--port", str(port), "--dir", str(tmp_path), "--requirepass", "hush"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as server:
        yield f"redis://127.0.0.1:{port}/0"
        server.terminate()


@contextmanager
def database(directory: Path, password: Path) -> Iterator[str]:
    """A PostgreSQL in a container, which asks for the password; yields its URL without it."""
    image, port, data = build_database(), free_port(), directory / "database"
    data.mkdir()
    data.chmod(0o1777)
    shutil.copy(password, data)
    user = re.findall(r"^postgres:x:(\d+):", (image.root / "etc/passwd").read_text(), re.MULTILINE)[0]
    start = (
        f"initdb -D /data/db -U studio --encoding=UTF8 --auth=scram-sha-256 --pwfile=/data/{password.name}\n"
        f"exec postgres -D /data/db -k /tmp -h 127.0.0.1 -p {port}"
    )
    with Container(image, directory, "postgres", data, {}, command=[start], user=int(user)).running():
        yield f"postgres://studio@127.0.0.1:{port}/postgres"


def test_an_article_is_written_by_one_container_for_each_role(
    image: Image, tmp_path: Path, data: Path, queue: str
) -> None:
    port = free_port()
    (data / "redis-password").write_text("hush\n")
    (data / "database-password").write_text("h u/s@h\n")
    with database(tmp_path, data / "database-password") as address, ExitStack() as roles:
        settings = {
            "DATABASE_URL": address,
            "DATABASE_PASSWORD_FILE": "/data/database-password",
            "REDIS_URL": queue,
            "REDIS_PASSWORD_FILE": "/data/redis-password",
            "PORT": str(port),
            "WORKERS": "2",
            "SEARCH_PROVIDER": "none",
        }
        made = {
            role: Container(image, tmp_path, role, data, {**settings, "ROLE": role})
            for role in ("web", "worker", "sweeper", "migrate")
        }
        started = {role: roles.enter_context(container.running()) for role, container in made.items()}
        assert started["migrate"].wait(120) == 0, made["migrate"].output
        for role in ("web", "worker", "sweeper"):
            ready(made[role], started[role])
        write_article(data, port)
        backup = made["web"].execute("python", "manage.py", "backup", "/data/studio.tar.gz")
        assert backup.returncode == 0, backup.stderr
        roles.close()
        assert [started[role].returncode for role in ("web", "worker", "sweeper")] == [0, 0, 0]
        command = ("restore", "/data/studio.tar.gz", "--replace")
        restoring = Container(image, tmp_path, "restore", data, settings, command=command)
        with restoring.running() as process:
            assert process.wait(120) == 0, restoring.output
        assert restoring.output.startswith("Restored the backup of ")


def test_it_says_what_it_is(image: Image) -> None:
    labels = image.config["Labels"]
    assert labels["org.opencontainers.image.title"] == "Content Studio"
    assert labels["org.opencontainers.image.revision"] == "tested"
    assert image.config["User"] == "10001:0"
    assert image.config["Healthcheck"]["Test"] == ["CMD", *HEALTHCHECK]
    assert image.config["Volumes"] == {"/data": {}}


def test_it_has_nothing_it_does_not_need(image: Image) -> None:
    app = {path.name for path in (image.root / "app").iterdir()}
    assert app.isdisjoint({".env", ".git", "tests", "bench", "docs", "var"})
    packages = {path.name for path in (image.root / "opt/venv/lib/python3.13/site-packages").iterdir()}
    assert packages.isdisjoint({"lancedb", "pyarrow", "onnxruntime", "kubernetes", "pip"})
    assert not shutil.which("gcc", path=str(image.root / "usr/bin"))
    assert image.megabytes < 1400
