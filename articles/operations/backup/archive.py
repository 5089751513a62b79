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
    """What a file of the archive has to be."""

    size: int
    sha256: str


class Manifest(BaseModel):
    """``migrations`` are those the database had, as ``app.name``; ``parts`` are all files but the manifest, by name."""

    format: int = FORMAT
    version: str
    made_at: datetime
    store: Literal["sqlite", "postgresql"]
    migrations: list[str]
    parts: dict[str, Part] = {}


class Hashing:
    """A file that is read once, and known by its hash afterwards."""

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
    """Puts files into an archive, and their hashes into its manifest."""

    def __init__(self, tar: tarfile.TarFile, manifest: Manifest) -> None:
        self._tar = tar
        self.manifest = manifest

    def add_file(self, name: str, path: Path) -> None:
        """Raises FileNotFoundError where it is gone, before anything was written."""
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            self._add(name, file, size)

    def add_text(self, name: str, text: str) -> None:
        content = text.encode()
        self._add(name, io.BytesIO(content), len(content))

    def _add(self, name: str, file: IO[bytes], size: int) -> None:
        member = tarfile.TarInfo(name)
        member.size, member.mode, member.mtime = size, 0o600, int(datetime.now(UTC).timestamp())
        read = Hashing(file)
        self._tar.addfile(member, read)
        self.manifest.parts[name] = read.part()


@contextmanager
def new_archive(target: Path, manifest: Manifest) -> Iterator[Packer]:
    """Write an archive that is at ``target`` once it is whole, readable by its owner only (0600). Raises OSError.

    What a backup to ``target`` that was killed has left beside it is cleared.
    """
    for remains in target.parent.glob(f".{glob.escape(target.name)}.*.part"):
        remains.unlink()
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
    """Unpack into ``directory``, which is empty, and see that all is as the manifest says.

    Raises BackupRefused. Nothing of the archive may be used before this has returned.
    """
    try:
        with tarfile.open(archive, "r:gz") as tar:
            found = unpack_members(tar, directory)
    except (tarfile.TarError, zlib.error, EOFError) as error:
        raise BackupRefused(f"{archive} is no backup of a studio, or a damaged one: {error}. Use another.") from error
    except OSError as error:
        raise BackupRefused(f"{archive} cannot be unpacked: {error}.") from error
    manifest = read_manifest(directory / MANIFEST)
    found.pop(MANIFEST)
    if wrong := sorted(
        name for name in found.keys() | manifest.parts.keys() if found.get(name) != manifest.parts.get(name)
    ):
        raise BackupRefused(f"The backup is damaged or was changed, beginning with {wrong[0]}. Use another.")
    return manifest


def unpack_members(tar: tarfile.TarFile, directory: Path) -> dict[str, Part]:
    found: dict[str, Part] = {}
    for member in tar:
        if not is_ours(member) or member.name in found:
            raise BackupRefused(f"The archive holds {member.name[:200]!r}, which no backup does. It was not restored.")
        target = directory / member.name
        target.parent.mkdir(parents=True, exist_ok=True)
        content = tar.extractfile(member)
        assert content is not None, "a regular file has content"
        read = Hashing(content)
        with target.open("xb") as file:
            shutil.copyfileobj(read, file)
        found[member.name] = read.part()
    return found


def is_ours(member: tarfile.TarInfo) -> bool:
    """A regular file with a name a backup gives. No link, no device, no way out of the directory."""
    name = PurePosixPath(member.name)
    if not member.isreg() or str(name) != member.name or ".." in name.parts or "\0" in member.name:
        return False
    if len(name.parts) == 1:
        return member.name in (MANIFEST, SETTINGS, DATABASE)
    return name.parts[0] in FOLDERS


def read_manifest(path: Path) -> Manifest:
    if not path.exists() or path.stat().st_size > LONGEST_MANIFEST:
        raise BackupRefused("The archive has no manifest, so it is no backup of a studio, or not a whole one.")
    try:
        manifest = Manifest.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise BackupRefused("The backup's manifest cannot be read. Use another backup, or a newer studio.") from error
    if manifest.format != FORMAT:
        raise BackupRefused(
            f"The backup has format {manifest.format}; this studio knows {FORMAT}. Restore it with the version that made it,"
            f" {manifest.version}."
        )
    return manifest
