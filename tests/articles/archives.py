"""Reads backup archives and writes damaged ones."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from articles.operations.backup.archive import MANIFEST


def contents(archive: Path) -> dict[str, bytes]:
    with tarfile.open(archive) as tar:
        return {member.name: tar.extractfile(member).read() for member in tar}  # type: ignore[union-attr]


def written(path: Path, files: dict[str, bytes], *more: tarfile.TarInfo) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
        for member in more:
            tar.addfile(member)
    return path


def changed(archive: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    """The archive with another manifest."""
    files = contents(archive)
    manifest = json.loads(files[MANIFEST])
    change(manifest)
    return written(archive.with_name("changed.tar.gz"), {**files, MANIFEST: json.dumps(manifest).encode()})


def refused(archive: Path, *options: str) -> str:
    with pytest.raises(CommandError) as refusal:
        call_command("restore", str(archive), *options)
    return str(refusal.value)
