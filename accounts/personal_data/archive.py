"""Writes what the studio stores of a person as a ZIP archive: JSON, texts in Markdown, and files."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import PurePosixPath
from shutil import copyfileobj
from typing import IO, Any

from django.contrib.auth.models import User
from django.core.files.storage import Storage, default_storage, storages
from django.core.serializers.json import DjangoJSONEncoder
from django.utils import timezone
from django.utils.text import slugify

from accounts.personal_data.collect import account_of, article_of, audit_of, edits_of_others, unsaved_texts
from articles.models import Article

ABOUT = """What this studio stores of {name}, on {day}.

account.json         the account, sign-in, API keys (without their values), limits and costs
audit.json           entries of the audit log by this person or about the account
edits-of-others.json texts that this person saved in articles of others
unsaved-texts.json   what this person has typed into the editor and not saved
articles/            a folder for each article: the text, its revisions, its history, sources and images

Passwords and second factors are not contained: only hashes and encrypted secrets of them are stored. Backups, which the
administrators of the studio keep, may contain earlier states of the same data.
"""


def write_archive(user: User, file: IO[bytes]) -> None:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        day = timezone.localdate().isoformat()
        archive.writestr("README.txt", ABOUT.format(name=user.get_username(), day=day))
        add_json(archive, "account.json", account_of(user))
        add_json(archive, "audit.json", audit_of(user))
        add_json(archive, "edits-of-others.json", list(edits_of_others(user)))
        add_json(archive, "unsaved-texts.json", list(unsaved_texts(user)))
        for article in user.articles.order_by("pk").iterator(chunk_size=1):  # one may have megabytes
            add_article(archive, article)


def add_article(archive: zipfile.ZipFile, article: Article) -> None:
    folder = f"articles/{article.pk}-{slugify(str(article))[:60] or 'article'}"
    add_json(archive, f"{folder}/article.json", article_of(article))
    if article.content:
        archive.writestr(f"{folder}/article.md", f"# {article}\n\n{article.content}")
    for revision in article.revisions.iterator(chunk_size=10):
        archive.writestr(f"{folder}/revisions/{revision.number}.md", f"# {revision.title}\n\n{revision.content}")
    for name, stored, storage in files_of(article):
        add_file(archive, f"{folder}/{name}", storage, stored)


def files_of(article: Article) -> Iterator[tuple[str, str, Storage]]:
    """Names in the archive and in the storage."""
    for source in article.sources.exclude(upload=""):
        yield f"sources/{PurePosixPath(source.upload.name or '').name}", source.upload.name or "", storages["uploads"]
    for field in (article.image, article.share_image):
        if field.name:
            yield f"images/{PurePosixPath(field.name).name}", field.name, default_storage


def add_json(archive: zipfile.ZipFile, name: str, data: Any) -> None:
    archive.writestr(name, json.dumps(data, cls=DjangoJSONEncoder, ensure_ascii=False, indent=1))


def add_file(archive: zipfile.ZipFile, name: str, storage: Storage, stored: str) -> None:
    """A file that is lost is left out: the rest is still of use."""
    if not storage.exists(stored):
        return
    with storage.open(stored) as source, archive.open(name, "w", force_zip64=True) as target:
        copyfileobj(source, target)
