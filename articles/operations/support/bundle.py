"""Writes the support bundle: a zip file with one file for each kind of finding."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import Error
from redis.exceptions import RedisError

from agents.contract import HealthCheck
from articles.operations.doctor import as_report
from articles.operations.support import figures
from articles.operations.support.log_lines import reduced
from articles.operations.support.redaction import Redactor, known_secrets
from articles.operations.support.settings_shown import settings_shown

CONTENTS = """Support bundle of Content Studio

doctor.json      results of `manage.py doctor`
versions.json    versions of the studio, Python, the database and packages
settings.json    settings that are set; values only of those that are no secret
migrations.json  migrations that are applied, missing or unknown
work.json        health, numbers of articles, runs and steps by state, the last runs
queue.json       numbers of jobs
log.txt          last lines of the log: what the studio wrote, without quotations, and where errors were raised

Keys, passwords, addresses of people and texts are left out. Read the files before you send them.
"""


def write_bundle(target: Path, checks: Sequence[HealthCheck], log: Iterable[str]) -> list[str]:
    """Writes ``target`` with mode 0600, and returns the names of its files. Raises OSError; an existing file is an error.

    What cannot be read, because the database or Redis does not answer, is replaced by the reason.
    """
    redactor = Redactor(known_secrets())
    files = {
        "README.txt": CONTENTS,
        "doctor.json": as_json(as_report(checks), redactor),
        "settings.json": as_json(settings_shown(), redactor),
        "log.txt": "\n".join(reduced(log, redactor)) + "\n",
    }
    readers = {
        "versions.json": figures.versions,
        "migrations.json": figures.migrations,
        "work.json": figures.work,
        "queue.json": figures.queue,
    }
    files |= {name: as_json(read_or_reason(read), redactor) for name, read in readers.items()}
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return list(files)


def read_or_reason(read: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    try:
        return read()
    except (Error, RedisError, OSError) as error:
        return {"error": f"{type(error).__name__}: {error}"}


def as_json(value: object, redactor: Redactor) -> str:
    """Each string in it is redacted by itself: a pattern that reached over its end would break the JSON."""
    plain = json.loads(json.dumps(value, cls=DjangoJSONEncoder))
    return json.dumps(redacted(plain, redactor), indent=1, ensure_ascii=False)


def redacted(value: Any, redactor: Redactor) -> Any:
    if isinstance(value, str):
        return redactor.text(value)
    if isinstance(value, list):
        return [redacted(item, redactor) for item in value]
    if isinstance(value, dict):
        return {name: redacted(item, redactor) for name, item in value.items()}
    return value
