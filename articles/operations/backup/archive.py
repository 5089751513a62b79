"""The archive: a .tar.gz of files whose names are known, and a manifest with the SHA-256 of each."""

from __future__ import annotations

import glob
import hashlib
import io
import os
import shutil
import tarfile
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import IO, Literal

from pydantic import BaseModel, ValidationError

from articles.exceptions import BackupRefused

FORMAT = 1
MANIFEST, SETTINGS, DATABASE = "manifest.json", "settings.json", "database"
FOLDERS = ("media", "uploads")
LONGEST_MANIFEST = 256 * 1024 * 1024  # bytes; about a million files


class Part(BaseModel):
    """The expected size and hash of a file in the archive."""

    size: int
    sha256: str


class Manifest(BaseModel):
    """``migrations`` are those applied to the database, as ``app.name``; ``parts`` are all files except the manifest."""

    format: int = FORMAT
    version: str
    made_at: datetime
    store: Literal["sqlite", "postgresql"]
    migrations: list[str]
    parts: dict[str, Part] = {}


class HashingReader:
    """Computes size and hash of a file while it is read."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._hash = hashlib.sha256()
        self.size = 0

    def read(self, size: int = -1) -> bytes:
        block = self._file.read(size)
        self._hash.update(block)
        self.size += len(block)
        return block

    def part(self) -> Part:
        return Part(size=self.size, sha256=self._hash.hexdigest())


# Writing


class Packer:
    """Adds files to an archive, and their hashes to its manifest."""

    def __init__(self, tar: tarfile.TarFile, manifest: Manifest) -> None:
        self._tar = tar
        self.manifest = manifest

    def add_file(self, name: str, file: IO[bytes]) -> None:
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
        self._add(name, file, size)

    def add_text(self, name: str, text: str) -> None:
        content = text.encode()
        self._add(name, io.BytesIO(content), len(content))

    def _add(self, name: str, file: IO[bytes], size: int) -> None:
        member = tarfile.TarInfo(name)
        member.size, member.mode, member.mtime = size, 0o600, int(datetime.now(UTC).timestamp())
        read = HashingReader(file)
        self._tar.addfile(member, read)
        self.manifest.parts[name] = read.part()


@contextmanager
def new_archive(target: Path, manifest: Manifest) -> Iterator[Packer]:
    """Writes an archive that appears at ``target`` when it is complete, with mode 0600. Raises OSError.

    Removes temporary files left by a killed backup to the same ``target``.
    """
    for leftover in target.parent.glob(f".{glob.escape(target.name)}.*.part"):
        leftover.unlink()
    descriptor, temporary = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            with tarfile.open(fileobj=file, mode="w:gz", compresslevel=6) as tar:
                packer = Packer(tar, manifest)
                yield packer
                packer.add_text(MANIFEST, manifest.model_dump_json(exclude={"parts": {MANIFEST}}, indent=1))
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


# Reading


def unpack(archive: Path, directory: Path) -> Manifest:
    """Unpacks into the empty ``directory`` and verifies everything against the manifest.

    Raises BackupRefused. Nothing from the archive may be used before this returns.
    """
    try:
        with tarfile.open(archive, "r:gz") as tar:
            found = unpack_members(tar, directory)
    except (tarfile.TarError, zlib.error, EOFError) as error:
        raise BackupRefused(
            f"{archive} is not a backup of a studio, or is damaged: {error}. Use another backup."
        ) from error
    except OSError as error:
        raise BackupRefused(f"{archive} cannot be unpacked: {error}.") from error
    manifest = read_manifest(directory / MANIFEST)
    found.pop(MANIFEST)
    if wrong := sorted(
        name for name in found.keys() | manifest.parts.keys() if found.get(name) != manifest.parts.get(name)
    ):
        raise BackupRefused(f"The backup is damaged or was changed: {wrong[0]}. Use another backup.")
    return manifest


def unpack_members(tar: tarfile.TarFile, directory: Path) -> dict[str, Part]:
    found: dict[str, Part] = {}
    for member in tar:
        if not is_expected(member) or member.name in found:
            raise BackupRefused(
                f"The archive contains {member.name[:200]!r}, which is not part of a backup. It was not restored."
            )
        target = directory / member.name
        target.parent.mkdir(parents=True, exist_ok=True)
        content = tar.extractfile(member)
        assert content is not None, "a regular file has content"
        read = HashingReader(content)
        with target.open("xb") as file:
            shutil.copyfileobj(read, file)
        found[member.name] = read.part()
    return found


def is_expected(member: tarfile.TarInfo) -> bool:
    """Whether it is a regular file with the name of a backup's part: no link, no device, no path traversal."""
    name = PurePosixPath(member.name)
    if not member.isreg() or str(name) != member.name or ".." in name.parts or "\0" in member.name:
        return False
    if len(name.parts) == 1:
        return member.name in (MANIFEST, SETTINGS, DATABASE)
    return name.parts[0] in FOLDERS


def read_manifest(path: Path) -> Manifest:
    if not path.exists() or path.stat().st_size > LONGEST_MANIFEST:
        raise BackupRefused("The archive has no manifest, so it is not a complete backup of a studio.")
    try:
        manifest = Manifest.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise BackupRefused(
            "The backup's manifest cannot be read. Use another backup, or a newer version of the studio."
        ) from error
    if manifest.format != FORMAT:
        raise BackupRefused(
            f"The backup has format {manifest.format}, but this version supports {FORMAT}. Restore it with version"
            f" {manifest.version}."
        )
    return manifest
