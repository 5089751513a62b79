"""Images and documents in a bucket: the same pages, exports and deletions as on disk, and what an outage does."""

from __future__ import annotations

import asyncio
import base64
import io
import os
import subprocess
import sys
import threading
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor

import pypdf
import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage, storages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pytest_django import Settings

from agents.exceptions import FilesUnavailable, SourceUnreadable
from agents.images.cover import draw_cover
from agents.worker import uploads
from articles.exceptions import ExportFailed, StorageUnavailable
from articles.exports import FORMATS, export
from articles.exports.download import document_of
from articles.management.commands.sweep import CLEAN_UP_INTERVAL, FILES_AGAIN, clean_up
from articles.models import Article
from articles.operations.doctor import check_files
from articles.runs import storage_retry
from articles.services import BriefInput, NewSource, create_article, delete_article
from articles.services.articles import delete_covers
from contentstudio import storage_settings
from tests.articles.bucket import storage
from tests.environment import ROOT, VAR
from tests.factories import UserFactory, make_completed_article, make_journal
from tests.s3_server import BUCKET, S3Server

pytestmark = pytest.mark.django_db(transaction=True)

COVER = draw_cover("Rooftop gardens", seed="1")


def with_cover(owner: User) -> Article:
    article = make_completed_article(owner)
    article.image = article.share_image = default_storage.save(f"covers/{article.pk}/cover.png", ContentFile(COVER))
    article.save()
    return article


def with_document(owner: User, content: bytes = b"Roofs hold rain.") -> Article:
    upload = SimpleUploadedFile("notes.txt", content)
    return create_article(by=owner, brief=BriefInput(topic="Rooftop gardens"), sources=[NewSource(upload=upload)])


def test_a_document_is_stored_in_the_bucket_and_read_by_workers(owner: User, bucket: S3Server) -> None:
    source = with_document(owner).sources.get()
    assert (str(source), source.type) == ("notes.txt", "document")
    given = source.as_brief_source()
    assert [*bucket.objects()] == [f"uploads/{given.path}"]
    assert asyncio.run(uploads.load_upload(given.path)) == b"Roofs hold rain."
    with pytest.raises(SourceUnreadable, match="is missing"):
        asyncio.run(uploads.load_upload("gone.txt"))


def test_documents_of_the_same_name_never_replace_each_other(owner: User, bucket: S3Server) -> None:
    def store(number: int) -> str:
        return storages["uploads"].save("notes.txt", ContentFile(f"{number}".encode()))

    with ThreadPoolExecutor(8) as pool:
        names = list(pool.map(store, range(8)))
    assert [storages["uploads"].open(name).read() for name in names] == [f"{number}".encode() for number in range(8)]
    long = storages["uploads"].save(f"{'x' * 200}.txt", ContentFile(b"long"), max_length=100)
    assert len(long) == 100
    assert long.endswith(".txt")


async def test_images_of_a_run_are_stored_in_the_bucket(bucket: S3Server, transactional_db: None) -> None:
    journal = await make_journal()
    name = await journal.keep_file("cover.png", COVER)
    assert bucket.objects()[f"media/{name}"].read_bytes() == COVER


def test_an_image_is_served_to_those_who_may_see_it(page: Client, writer: User, bucket: S3Server) -> None:
    article = with_cover(writer)
    assert article.image_url == f"/media/{article.image.name}"
    response = page.get(article.image_url)
    assert b"".join(response.streaming_content) == COVER  # type: ignore[attr-defined]
    assert response["Content-Type"] == "image/png"
    assert response["Content-Length"] == str(len(COVER))
    assert response["Cache-Control"] == "private, max-age=31536000, immutable"
    response.close()
    assert page.get(f"/media/covers/{article.pk}/missing.png").status_code == 404
    page.force_login(UserFactory.create())
    assert page.get(article.image_url).status_code == 404


@pytest.mark.parametrize("format", FORMATS)
def test_exports_contain_the_image(owner: User, bucket: S3Server, format: str) -> None:
    content = export(document_of(with_cover(owner)), format)
    match format:
        case "docx" | "epub":
            assert COVER in members(content)
        case "html":
            assert base64.b64encode(COVER) in content
        case "pdf":
            assert [image.name for image in pypdf.PdfReader(io.BytesIO(content)).pages[0].images] != []


def members(content: bytes) -> list[bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return [archive.read(name) for name in archive.namelist()]


def test_deleting_an_article_deletes_its_objects(owner: User, bucket: S3Server) -> None:
    kept = with_cover(owner)
    article = with_document(owner)
    default_storage.save(f"covers/{article.pk}/cover.png", ContentFile(COVER))
    assert len(bucket.objects()) == 3
    delete_article(article=article, by=owner)
    assert [*bucket.objects()] == [f"media/{kept.image.name}"]


class TestOutage:
    def test_a_document_is_refused_and_nothing_is_stored(self, owner: User, bucket: S3Server) -> None:
        with bucket.stopped(), pytest.raises(StorageUnavailable, match="Try again in a minute"):
            with_document(owner)
        assert not Article.objects.exists()

    def test_an_image_is_unavailable_and_not_missing(self, page: Client, writer: User, bucket: S3Server) -> None:
        article = with_cover(writer)
        with bucket.stopped():
            response = page.get(article.image_url)
            assert (response.status_code, response["Retry-After"]) == (503, "30")
            with pytest.raises(ExportFailed, match="cannot be read"):
                document_of(article)
            assert document_of(article, with_cover=False).cover == b""

    def test_the_sweeper_deletes_what_could_not_be_deleted(self, owner: User, bucket: S3Server) -> None:
        article = with_document(owner)
        default_storage.save(f"covers/{article.pk}/cover.png", ContentFile(COVER))
        kept = with_cover(owner)
        with bucket.stopped():
            delete_article(article=article, by=owner)
            assert clean_up() == FILES_AGAIN
        assert len(bucket.objects()) == 3
        for path in bucket.objects().values():
            os.utime(path, (time.time() - 7200,) * 2)
        time.sleep(1.2)  # until the server sees it
        assert clean_up() == CLEAN_UP_INTERVAL
        assert [*bucket.objects()] == [f"media/{kept.image.name}"]

    def test_a_worker_waits_for_the_storage(
        self, owner: User, bucket: S3Server, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(storage_retry, "PAUSE", 0.2)
        name = with_document(owner).sources.get().as_brief_source().path
        with ThreadPoolExecutor(1) as pool:
            with bucket.stopped():
                reading = pool.submit(lambda: asyncio.run(uploads.load_upload(name)))
                time.sleep(1)
                assert not reading.done()
            assert reading.result() == b"Roofs hold rain."
        monkeypatch.setattr(uploads, "PATIENCE", 0.3)
        with bucket.stopped(), pytest.raises(FilesUnavailable, match="does not answer"):
            asyncio.run(uploads.load_upload(name))

    async def test_the_thread_of_the_database_does_not_wait(
        self, bucket: S3Server, transactional_db: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        used: list[int] = []
        journal = await make_journal()

        def save(self: object, name: str, content: object) -> str:
            used.append(threading.get_ident())
            return name

        monkeypatch.setattr("contentstudio.s3_storage.PrivateS3Storage._save", save)
        await journal.keep_file("cover.png", COVER)
        assert used != [await sync_to_async(threading.get_ident)()]


def test_a_wrong_key_is_reported_without_it(bucket: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage("default"), "secret_key", "another-secret")
    with pytest.raises(PermissionError, match=r"refuses access \(SignatureDoesNotMatch\)") as refusal:
        default_storage.save("covers/1/a.png", ContentFile(b"x"))
    assert "secret" not in str(refusal.value)
    assert {check.state for check in check_files() if check.name == "Pictures"} == {"error"}
    assert {check.state for check in check_files() if check.name == "Uploads"} == {"ok"}
    assert bucket.objects() == {}


def test_a_prefix_precedes_all_names(bucket: S3Server, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage_settings, "S3_PREFIX", "/ours/")
    settings.STORAGES = {**settings.STORAGES, **storage_settings.file_storages(VAR)}
    name = default_storage.save("covers/7/a.png", ContentFile(b"x"))
    assert [*bucket.objects()] == [f"ours/media/{name}"]
    assert [file.name for file in storage("default").files()] == [name]
    delete_covers(7)
    assert bucket.objects() == {}


@pytest.mark.parametrize(("more", "imported"), [({}, "False"), ({"S3_BUCKET": BUCKET}, "True")])
def test_boto3_is_only_imported_with_a_bucket(more: dict[str, str], imported: str) -> None:
    program = (
        "import sys, django; django.setup(); import contentstudio.urls, articles.services\n"
        "from django.core.files.storage import storages; storages['default'].url('a.png'), storages['uploads']\n"
        "print('boto3' in sys.modules)"
    )
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "contentstudio.settings", **more}
    command = [sys.executable, "-c", program]
    result = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=True)
    assert result.stdout.strip() == imported
