"""Builds the image with buildah, which needs no daemon, and unpacks it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tarfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from setup import debian
from tests.environment import ROOT

STORE = Path(os.environ.get("IMAGE_STORE", "/var/tmp/content-studio-image-test"))
"""Kept after the tests: the next build takes unchanged layers from it."""

PACKAGES = {"buildah": "builds the image", "runc": "starts containers", "debootstrap": "makes a base image"}
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")


@dataclass(frozen=True)
class Image:
    """A built image. ``root`` is its unpacked file system."""

    root: Path
    config: dict[str, Any]
    seconds: float
    megabytes: float


def buildah(*arguments: str | Path) -> str:
    """Runs it on a store of its own; it needs neither a daemon nor an overlay file system. Returns what it prints."""
    environment = {**os.environ, "BUILDAH_FORMAT": "docker", "BUILDAH_ISOLATION": "chroot", "STORAGE_DRIVER": "vfs"}
    command = ["buildah", "--root", STORE / "images", "--runroot", STORE / "run", *arguments]
    return subprocess.run(command, env=environment, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout


DATABASE = """ARG BASE
FROM ${BASE}
RUN apt-get update && apt-get install --yes --no-install-recommends postgresql-common \\
    && sed -i 's/^#*create_main_cluster.*/create_main_cluster = false/' /etc/postgresql-common/createcluster.conf \\
    && apt-get install --yes --no-install-recommends postgresql-17
WORKDIR /tmp
ENV PATH=/usr/lib/postgresql/17/bin:/usr/bin:/bin
ENTRYPOINT ["sh", "-ec"]
"""


def build() -> Image:
    """The studio's image, from the Dockerfile."""
    for package, purpose in PACKAGES.items():
        if not shutil.which(package):
            debian.install(package, reason=purpose)
    STORE.mkdir(parents=True, exist_ok=True)
    return build_as("localhost/content-studio-test", "--build-arg", "REVISION=tested", ".")


def build_database() -> Image:
    """PostgreSQL of the version of compose.yaml, on the same base."""
    (STORE / "Dockerfile.database").write_text(DATABASE)
    return build_as("localhost/postgres-test", "--file", STORE / "Dockerfile.database", STORE / "empty")


def build_as(name: str, *arguments: str | Path) -> Image:
    (STORE / "empty").mkdir(parents=True, exist_ok=True)
    base = os.environ["IMAGE_BASE"]
    if base == "made":
        base = made_base()
    began = time.monotonic()
    buildah("build", "--layers", "--build-arg", f"BASE={base}", "--tag", name, *arguments)
    seconds = time.monotonic() - began
    details = json.loads(buildah("inspect", "--type", "image", name))
    root = Path(buildah("mount", buildah("from", name).strip()).strip())
    size = json.loads(buildah("images", "--json", name))[0]["size"]
    return Image(root, details["Docker"]["config"], seconds, megabytes(size))


def megabytes(size: str) -> float:
    number, unit = size.split()
    return float(number) * {"KB": 0.001, "MB": 1, "GB": 1000}[unit]


def made_base() -> str:
    """A base image from Debian's packages, for machines that reach no container registry."""
    name = "localhost/python-trixie"
    if name in buildah("images", "--format", "{{.Name}}"):
        return name
    tree = STORE / "debian"
    shutil.rmtree(tree, ignore_errors=True)
    wanted = "--include=python3,python3-venv,ca-certificates"
    subprocess.run(["debootstrap", "--variant=minbase", wanted, "trixie", tree], stdout=subprocess.DEVNULL, check=True)
    if CERTIFICATES.exists():  # possibly with a company's own, without which pip reaches nothing
        shutil.copy(CERTIFICATES, tree / "etc/ssl/certs")
    with tarfile.open(STORE / "debian.tar", "w") as archive:
        archive.add(tree, arcname=".")
    (STORE / "Dockerfile").write_text('FROM scratch\nADD debian.tar /\nCMD ["python3"]\n')
    buildah("build", "--tag", name, STORE)
    shutil.rmtree(tree)
    (STORE / "debian.tar").unlink()
    return name
