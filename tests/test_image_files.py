"""The Dockerfile and what it copies, without building it; ``make image-test`` does."""

from __future__ import annotations

import configparser
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from deploy.without_unused import names_in, without
from tests.environment import ROOT

DOCKERFILE = (ROOT / "Dockerfile").read_text()
IGNORED = (ROOT / ".dockerignore").read_text().splitlines()
UNUSED = names_in((ROOT / "deploy" / "unused-packages.txt").read_text())
LOCK = (ROOT / "requirements.lock").read_text()

START_WITHOUT = """
import sys
from importlib.metadata import packages_distributions

unused = set(sys.argv[1].split())
packages = {
    module: {name.lower().replace("_", "-").replace(".", "-") for name in names}
    for module, names in packages_distributions().items()
}
assert unused <= set().union(*packages.values()), "they are installed here"
modules = {module for module, names in packages.items() if names & unused}


class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in modules:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


sys.meta_path.insert(0, Missing())
import django

django.setup()
import agents.worker.rq_worker  # makes a model call
import articles.admin, articles.exports, contentstudio.asgi
from articles.operations.doctor import check_exports

assert check_exports().state == "ok", check_exports()
"""


def test_the_studio_starts_without_the_packages_the_image_leaves_out() -> None:
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "contentstudio.settings"}
    done = subprocess.run(
        [sys.executable, "-c", START_WITHOUT, " ".join(UNUSED)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_the_image_has_all_other_packages_with_their_hashes() -> None:
    kept = without(LOCK, UNUSED)
    of_lock, of_image = (set(re.findall(r"^([\w.-]+)==", text, re.MULTILINE)) for text in (LOCK, kept))
    assert of_lock - of_image == UNUSED
    assert kept.count("--hash=sha256:") > len(of_image)
    with pytest.raises(ValueError, match="not in the lock file: no-such-package"):
        without(LOCK, {"no-such-package"})


def test_the_image_has_each_package_of_the_studio_and_nothing_private() -> None:
    linter = configparser.ConfigParser()
    linter.read(ROOT / ".importlinter")
    packages = set(linter["importlinter"]["root_packages"].split()) - {"bench"}
    included = {line[1:] for line in IGNORED if line.startswith("!")}
    assert IGNORED[1] == "*"
    assert packages | {"manage.py", "static", "templates"} <= included
    assert all((ROOT / path).exists() for path in included)
    assert not any(re.search(r"\.env|\.git|var|tests|secrets", path) for path in included)


def test_everything_copied_from_the_context_is_in_it() -> None:
    copied = re.findall(r"^COPY (?!--from)(.*) \S+$", DOCKERFILE, re.MULTILINE)
    included = {line[1:] for line in IGNORED if line.startswith("!")} | {"."}
    assert {path for line in copied for path in line.split()} <= included


def test_the_image_is_for_every_architecture() -> None:
    assert not re.search(r"amd64|arm64|x86_64|aarch64|--platform", DOCKERFILE)


def test_the_version_in_the_image_is_that_of_the_studio() -> None:
    assert f"ARG VERSION={settings.VERSION}\n" in DOCKERFILE


def test_no_secret_is_in_the_image() -> None:
    assert not re.findall(r"^(?:ENV|ARG).*(?:KEY|PASSWORD|TOKEN|SECRET)", DOCKERFILE, re.MULTILINE)


def test_the_linter_of_dockerfiles_finds_nothing() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    done = subprocess.run([hadolint, ROOT / "Dockerfile"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")
