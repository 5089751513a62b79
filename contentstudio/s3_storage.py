"""Images and documents in a private S3 bucket. Imported only if S3_BUCKET is set."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import PurePosixPath
from typing import IO, Any
from urllib.parse import urljoin

import boto3.session
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError, IncompleteReadError
from botocore.exceptions import ConnectionError as NotConnected
from django.conf import settings
from django.core.files.base import File
from django.utils.crypto import get_random_string
from django.utils.encoding import filepath_to_uri
from storages.backends.s3 import S3Storage

from contentstudio.stored_files import StoredFile

IN_MEMORY = 4 * 1024 * 1024
"""Bytes of a file that are read into memory; larger ones go to a temporary file."""

CLIENT = Config(
    signature_version="s3v4",
    # The first request fails after about 10 s if the server cannot be reached.
    connect_timeout=3,
    read_timeout=15,
    retries={"mode": "standard", "total_max_attempts": 3},
    max_pool_connections=32,
    # Servers other than Amazon's may not know the checksums that boto3 adds by default.
    request_checksum_calculation="when_required",
    response_checksum_validation="when_required",
)


@cache
def resource(pid: int, keys: tuple[str | None, str | None], region: str, endpoint: str | None, style: str) -> Any:
    """A connection that all storages and threads of process ``pid`` share. Another one takes 0.1 s and 15 MB."""
    session = boto3.session.Session(aws_access_key_id=keys[0], aws_secret_access_key=keys[1])
    config = CLIENT.merge(Config(s3={"addressing_style": style}))
    return session.resource("s3", region_name=region, endpoint_url=endpoint, config=config)


@contextmanager
def as_os_errors(name: str) -> Iterator[None]:
    """Raises what a file system would: FileNotFoundError, PermissionError, ConnectionError during an outage, or OSError.

    The messages are for people: they name neither the server nor the bucket.
    """
    try:
        yield
    except ClientError as error:
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        code = error.response.get("Error", {}).get("Code", status)
        if code in ("NoSuchKey", "404"):
            raise FileNotFoundError(f"{name} does not exist") from error
        if status in (401, 403):
            raise PermissionError(f"the file storage refuses access ({code})") from error
        if status == 429 or status >= 500:
            raise ConnectionError(f"the file storage is unavailable ({code})") from error
        raise OSError(f"the file storage refuses the request ({code})") from error
    except (NotConnected, HTTPClientError, IncompleteReadError) as error:
        raise ConnectionError(f"the file storage does not answer ({type(error).__name__})") from error
    except BotoCoreError as error:
        raise OSError(f"the file storage cannot be used ({type(error).__name__})") from error


class PrivateS3Storage(S3Storage):  # type: ignore[misc]  # it has no types
    """Names are never used twice, and ``url`` is that of the studio's own view, which checks who asks.

    Raises OSErrors, as ``as_os_errors`` does.
    """

    def __init__(self, **options: Any) -> None:
        defaults = {"file_overwrite": False, "transfer_config": TransferConfig(use_threads=False)}
        super().__init__(**defaults, **options)

    @property
    def connection(self) -> Any:
        keys = (self.access_key, self.secret_key)
        return resource(os.getpid(), keys, self.region_name, self.endpoint_url, self.addressing_style)

    @property
    def bucket(self) -> Any:
        return self.connection.Bucket(self.bucket_name)

    def url(self, name: str, *args: Any, **options: Any) -> str:
        return urljoin(settings.MEDIA_URL, filepath_to_uri(name).lstrip("/"))

    def get_available_name(self, name: str, max_length: int | None = None) -> str:
        """With random letters: between a look and an upload, another machine could store a file of the same name."""
        path, suffix = PurePosixPath(name), f"_{get_random_string(12)}{PurePosixPath(name).suffix}"
        room = (max_length or 300) - len(name) + len(path.name) - len(suffix)
        return str(path.with_name(path.stem[:room] + suffix))

    def _open(self, name: str, mode: str = "rb") -> File[bytes]:
        """The whole content, in one request: a reader never sees a connection break."""
        if mode != "rb":
            raise ValueError("Files are read in binary mode, and written with save().")
        with as_os_errors(name):
            answer = self.connection.meta.client.get_object(Bucket=self.bucket_name, Key=self._normalize_name(name))
            content = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115  (the caller closes it)
            for block in answer["Body"].iter_chunks(1024 * 1024):
                content.write(block)
        content.seek(0)
        return File(content, name)

    def _save(self, name: str, content: File[bytes]) -> str:
        with as_os_errors(name):
            stored: str = super()._save(name, content)
            return stored

    def write(self, name: str, content: IO[bytes]) -> None:
        """Stores a file under this very name, and replaces one that exists."""
        self._save(name, File(content, name))

    def delete(self, name: str) -> None:
        with as_os_errors(name):
            super().delete(name)

    def exists(self, name: str) -> bool:
        with as_os_errors(name):
            return bool(super().exists(name))

    def listdir(self, path: str) -> tuple[list[str], list[str]]:
        with as_os_errors(path):
            folders, files = super().listdir(path)
            return folders, files

    def size(self, name: str) -> int:
        with as_os_errors(name):
            return int(super().size(name))

    def get_modified_time(self, name: str) -> Any:
        with as_os_errors(name):
            return super().get_modified_time(name)

    def files(self) -> Iterator[StoredFile]:
        """All files, in one request for each thousand."""
        prefix = f"{self.location.strip('/')}/"
        pages = self.connection.meta.client.get_paginator("list_objects_v2")
        with as_os_errors(prefix):
            for page in pages.paginate(Bucket=self.bucket_name, Prefix=prefix):
                for entry in page.get("Contents", ()):
                    name, tag = entry["Key"].removeprefix(prefix), entry["ETag"].strip('"')
                    yield StoredFile(name, entry["LastModified"], entry["Size"], tag)
