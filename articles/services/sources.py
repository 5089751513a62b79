"""The sources of a brief: checked before anything is stored, then stored with the article."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from functools import partial
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Annotated, Self

from django.conf import settings
from django.core.exceptions import ValidationError as InvalidURL
from django.core.files.base import File
from django.core.files.storage import storages
from django.core.validators import URLValidator
from django.db import transaction
from pydantic import AfterValidator, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from agents.input_types import Line, Prose
from agents.research.addresses import Allowed, names_private_host
from articles.exceptions import InvalidSource, StorageUnavailable
from articles.models import Article, Source
from articles.services.validation import Input

if TYPE_CHECKING:
    Upload = File[bytes]
else:  # pydantic evaluates the annotation, and Django's class cannot be subscripted at run time
    Upload = File

log = logging.getLogger(__name__)

DOCUMENT_SUFFIXES = (".txt", ".md", ".pdf", ".docx")


ISO_DATE = re.compile(r"\d{4}(-\d{2}(-\d{2})?)?")


def iso_date(value: str) -> str:
    """A day, a month or a year in ISO 8601."""
    try:
        if value:
            date.fromisoformat((value + "-01-01")[:10] if ISO_DATE.fullmatch(value) else "")
    except ValueError:
        raise ValueError("is not a date; use the form 2024-05-31, 2024-05 or 2024") from None
    return value


Name = Annotated[str, Field(max_length=200), Line]


class SourceInput(Input):
    """A source without a file: a ``text``, a ``url``, or a text with the URL as its link, which is not fetched then."""

    title: Annotated[str, Field(max_length=300), Line] = ""
    text: Annotated[str, Field(max_length=settings.MAX_PASTED_CHARACTERS), Prose] = ""
    url: Annotated[str, Field(max_length=2000), Line] | None = None
    kind: Annotated[
        str, Field(max_length=80, description="Such as study, press release of a manufacturer or own notes"), Line
    ] = ""
    publisher: Name = ""
    author: Name = ""
    date: Annotated[
        str, AfterValidator(iso_date), Line, Field(description="When it was published: a day, a month or a year")
    ] = ""

    @field_validator("url")
    @classmethod
    def is_address(cls, url: str | None, info: ValidationInfo) -> str | None:
        """Private networks are not read, but the link of a text may lead there."""
        if url is None:
            return None
        if not info.data.get("text") and names_private_host(url, Allowed.parse(settings.FETCH_ALLOW)):
            raise ValueError("is in a private network, which the studio does not read; paste the text instead")
        try:
            URLValidator(schemes=["http", "https"])(url)
        except InvalidURL:
            raise ValueError("is not a URL; enter it in full, such as https://example.org/page") from None
        return url

    @model_validator(mode="after")
    def has_content(self) -> Self:
        if not self.text and not self.url:
            raise ValueError("give text, url or both")
        return self


class NewSource(SourceInput):
    """A source to be stored: text, URL or both, or an ``upload``. Check uploads with ``document_problems`` first."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    upload: Upload | None = None

    @model_validator(mode="after")
    def has_content(self) -> Self:
        if bool(self.text or self.url) == (self.upload is not None):
            raise ValueError("give text, url or both, or else an upload")
        return self


def check_total(sources: Sequence[SourceInput], *, stored: int = 0) -> None:
    """Checks the limits that hold for all sources of an article together. Raises InvalidSource."""
    count = stored + len(sources)
    if count > settings.MAX_SOURCES:
        raise InvalidSource(f"{count} sources are too many: an article takes up to {settings.MAX_SOURCES}.")
    check_text_total(len(source.text) for source in sources)


def check_text_total(lengths: Iterable[int]) -> None:
    """Raises InvalidSource if pasted texts of these lengths do not fit into one request."""
    total, limit = sum(lengths), settings.MAX_PASTED_CHARACTERS_TOTAL
    if total > limit:
        raise InvalidSource(
            f"The pasted texts have {total:,} characters together; {limit:,} fit. Shorten them, or upload documents."
        )


def document_sizes(sources: Iterable[NewSource]) -> list[int]:
    """Bytes of each uploaded document."""
    return [source.upload.size for source in sources if source.upload is not None]


def total_size(sources: Sequence[NewSource]) -> int:
    """Bytes of documents, and characters of texts."""
    return sum(document_sizes(sources)) + sum(len(source.text) for source in sources)


def copied_sources(sources: Iterable[Source]) -> list[NewSource]:
    """The sources as those of another article; documents are copied when they are stored.

    Raises StorageUnavailable, and InvalidSource if a document is gone.
    """
    copies = []
    for source in sources:
        details = {name: getattr(source, name) for name in ("title", "kind", "publisher", "author", "date")}
        if source.upload:
            copies.append(NewSource(**details, upload=opened_upload(source)))
        else:
            copies.append(NewSource(**details, text=source.text, url=source.url or None))
    return copies


def opened_upload(source: Source) -> Upload:
    try:
        return File(source.upload.open("rb"), name=PurePosixPath(source.upload.name or "document").name)
    except FileNotFoundError as error:
        raise InvalidSource(f"The document “{source}” is no longer stored. Remove it, or upload it again.") from error
    except ConnectionError as error:
        log.warning("a stored document could not be read: %s", error)
        raise StorageUnavailable from error


@contextmanager
def stored_files(sources: Iterable[NewSource]) -> Iterator[list[Source]]:
    """Unsaved rows of ``sources``, their uploads written to storage. If the block raises, the files are deleted.

    Raises StorageUnavailable. Enter it outside of a transaction: writing 300 MB takes time, and a rollback does not remove files.
    """
    rows: list[Source] = []
    try:
        for source in sources:
            row = Source(**source.model_dump(exclude={"upload", "url"}), url=source.url or "")
            rows.append(row)
            if source.upload is not None:
                name = source.upload.name or "document"
                row.title = row.title or name[:300]
                store_upload(row, name, source.upload)
                row.upload_bytes = source.upload.size
        yield rows
    except BaseException:
        delete_files(row.upload.name for row in rows if row.upload.name)
        raise


def store_upload(row: Source, name: str, upload: Upload) -> None:
    """Raises StorageUnavailable during an outage of a storage that is another server."""
    try:
        row.upload.save(name, upload, save=False)
    except ConnectionError as error:
        log.warning("an uploaded document could not be stored: %s", error)
        raise StorageUnavailable from error


def store_sources(article: Article, rows: Sequence[Source]) -> None:
    for row in rows:
        row.article = article
    Source.objects.bulk_create(rows)


def remove_sources(article: Article, ids: Iterable[int]) -> None:
    """Deletes these sources of the article; their files follow once the transaction is committed."""
    removed = article.sources.filter(pk__in=ids)
    uploads = list(removed.exclude(upload="").values_list("upload", flat=True))
    removed.delete()
    transaction.on_commit(partial(delete_files, uploads))


def delete_files(names: Iterable[str]) -> None:
    """If the storage is unavailable, the sweeper deletes them later."""
    try:
        for name in names:
            storages["uploads"].delete(name)
    except OSError as error:
        log.warning("some documents stay for the sweeper to delete: %s", error)
