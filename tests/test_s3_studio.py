"""A whole studio with its files in S3: from an uploaded document to the exports, and from a backup to a deletion."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests import prompts
from tests.chaos.studio import LiveStudio
from tests.environment import ROOT
from tests.model_server import ModelServer
from tests.s3_server import S3Server
from tests.waiting import wait_until

DOCUMENT = "Planted roofs of Utrecht hold 37 litres of rain per square metre. " * 40
TOPIC = "Rooftop gardens and the rain"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    found = S3Server(tmp_path_factory.mktemp("s3") / "buckets")
    found.start()
    yield found
    found.stop()


@pytest.fixture(scope="module")
def model() -> Iterator[ModelServer]:
    with ModelServer() as found:
        found.choices.add("supported")
        yield found


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory, model: ModelServer, server: S3Server) -> Iterator[LiveStudio]:
    found = LiveStudio(tmp_path_factory.mktemp("studio"), model, places=2, **server.settings)
    yield found
    found.stop()


def signed_in(studio: LiveStudio) -> httpx.Client:
    client = httpx.Client(base_url=f"http://127.0.0.1:{studio.port}", timeout=30, trust_env=False)
    first = dict(re.findall(r"^(user|password): (\S+)", (studio.var / "first-login.txt").read_text(), re.MULTILINE))
    send(client, "/sign-in/", {"username": first["user"], "password": first["password"]})
    return client


def send(client: httpx.Client, path: str, data: dict[str, object], **files: object) -> httpx.Response:
    """Fill in the form of a page."""
    found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', client.get(path).text)
    assert found, path
    answer = client.post(path, data={**data, "csrfmiddlewaretoken": found[1]}, files=files or None)  # type: ignore[arg-type]
    assert answer.status_code == 302, answer.text
    return answer


def manage(studio: LiveStudio, *command: str) -> None:
    arguments = [sys.executable, str(ROOT / "manage.py"), *command]
    subprocess.run(arguments, env=studio.environment, check=True, capture_output=True)


def test_files_live_in_the_bucket_from_upload_to_deletion(
    studio: LiveStudio, model: ModelServer, server: S3Server, tmp_path: Path
) -> None:
    page = signed_in(studio)
    brief: dict[str, object] = {"topic": TOPIC, "tone": "professional", "target_audience": "general"}
    brief |= {"min_words": 400, "include_image": "on", "language": "en", "writing": "parallel"}
    brief |= {"text-TOTAL_FORMS": 0, "text-INITIAL_FORMS": 0}
    send(page, "/articles/new/", brief, documents=("rain.txt", DOCUMENT.encode(), "text/plain"))
    [(article, _)] = studio.topics().items()
    wait_until(lambda: studio.status(article) == "completed", seconds=120)

    assert any("37 litres of rain" in prompt for prompt in model.prompts(prompts.FIND)), "the document was read"
    result = studio.result(article)
    stored = server.objects()
    cover = stored[f"media/{result['image_url'].rpartition('/media/')[2]}"].read_bytes()
    assert {name.partition("/")[0] for name in stored} == {"media", "uploads"}
    assert [*studio.var.glob("media"), *studio.var.glob("uploads")] == []
    assert page.get(result["image_url"]).content == cover
    assert httpx.get(result["image_url"], trust_env=False).status_code == 404, "not for strangers"
    for format in ("docx", "epub"):
        file = page.get(f"/articles/{article}/download/{format}")
        with zipfile.ZipFile(io.BytesIO(file.content)) as archive:
            assert cover in [archive.read(name) for name in archive.namelist()], format

    manage(studio, "backup", str(tmp_path / "studio.tar.gz"))
    before = {name: path.read_bytes() for name, path in stored.items()}
    studio.ask("DELETE", f"/articles/{article}")
    assert server.objects() == {}
    studio.stop()
    manage(studio, "restore", str(tmp_path / "studio.tar.gz"), "--replace")
    assert {name: path.read_bytes() for name, path in server.objects().items()} == before
    studio.start()
    assert page.get(result["image_url"]).content == cover


def test_the_key_is_in_no_log(studio: LiveStudio, server: S3Server) -> None:
    assert server.settings["S3_SECRET_ACCESS_KEY"] not in studio.said
    assert os.environ.get("S3_SECRET_ACCESS_KEY") is None
