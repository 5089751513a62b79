"""The set-up: which Python it takes, when it has nothing to do, and what it asks of the system."""

from __future__ import annotations

import ctypes
import os
import re
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from setup import debian, install, postgres
from setup.install import Installation
from tests.environment import ROOT, SETTINGS


def program(path: Path, script: str) -> Path:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def run_python(path: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    command = ["/bin/sh", str(ROOT / "setup" / "python"), "-c", "import sys; print(sys.executable)"]
    return subprocess.run(command, env={"PATH": str(path), **environment}, capture_output=True, text=True, check=False)


def test_it_passes_over_a_python_that_does_not_fit(tmp_path):
    program(tmp_path / "python3", "exit 1")
    program(tmp_path / "python3.12", f'exec {sys.executable} "$@"')
    assert run_python(tmp_path).stdout.strip() == sys.executable


def test_a_python_that_is_named_wins(tmp_path):
    program(tmp_path / "python3", "exit 1")
    assert run_python(tmp_path, PYTHON=sys.executable).stdout.strip() == sys.executable


def test_it_says_which_python_it_wants_where_there_is_none(tmp_path):
    told = run_python(tmp_path)
    assert told.returncode == 1
    assert "needs Python 3.11, 3.12 or 3.13" in told.stderr


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    """As it is after both locks could have been installed, and neither was."""
    (tmp_path / "requirements.lock").write_text("django==5.2\n")
    (tmp_path / "requirements-dev.lock").write_text("django==5.2\npytest==9\n")
    made = Installation(tmp_path)
    made.python.parent.mkdir(parents=True)
    made.python.touch()
    return made


def test_there_is_nothing_to_do_while_the_lock_is_the_same(installation):
    installation.stamp.write_text(installation.fingerprint("requirements.lock"))
    assert installation.has("requirements.lock")
    (installation.root / "requirements.lock").write_text("django==5.3\n")
    assert not installation.has("requirements.lock")


def test_what_checks_the_studio_also_runs_it(installation):
    installation.stamp.write_text(installation.fingerprint("requirements-dev.lock"))
    assert installation.has("requirements.lock", "requirements-dev.lock")
    assert not installation.has("requirements.lock")


def test_an_interrupted_installation_is_none(installation):
    assert not installation.has("requirements.lock")


def test_an_installation_whose_python_has_gone_is_none(installation):
    installation.stamp.write_text(installation.fingerprint("requirements.lock"))
    installation.python.unlink()
    assert not installation.has("requirements.lock")


def test_bytecode_is_written_whatever_the_shell_says(monkeypatch):
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    assert "PYTHONDONTWRITEBYTECODE" not in install.surroundings()


def test_the_systems_certificates_are_trusted(monkeypatch, tmp_path):
    monkeypatch.delenv("PIP_CERT", raising=False)
    monkeypatch.delenv("UV_SYSTEM_CERTS", raising=False)
    monkeypatch.setattr(install, "CERTIFICATES", program(tmp_path / "ca.crt", ""))
    assert install.surroundings()["PIP_CERT"] == str(tmp_path / "ca.crt")
    assert install.surroundings()["UV_SYSTEM_CERTS"] == "true"


def test_the_installer_is_the_one_that_is_locked():
    locked = (ROOT / "requirements.lock").read_text()
    wanted = (ROOT / "setup" / "bootstrap.txt").read_text()
    uv = re.search(r"^uv==.*?(?=^\S|^    #)", locked, re.MULTILINE | re.DOTALL)
    assert uv is not None
    assert wanted.partition("\n")[2].split() == uv[0].split()


def test_both_locks_name_the_same_versions():
    versions = {
        name: dict(re.findall(r"^([a-z0-9._-]+)==([^ ;]+)", (ROOT / name).read_text(), re.MULTILINE))
        for name in ("requirements.lock", "requirements-dev.lock")
    }
    assert versions["requirements.lock"].items() <= versions["requirements-dev.lock"].items()


def test_a_browser_that_is_named_wins(monkeypatch):
    monkeypatch.setenv("CHROMIUM", "/opt/chrome")
    assert debian.chromium() == "/opt/chrome"


def test_a_missing_browser_is_installed_by_root(monkeypatch, tmp_path):
    monkeypatch.delenv("CHROMIUM", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    program(
        tmp_path / "apt-get",
        f'echo "$@" >> {tmp_path}/asked; : > {tmp_path}/chromium; /bin/chmod +x {tmp_path}/chromium',
    )
    assert debian.chromium() == str(tmp_path / "chromium")
    assert "install --yes --no-install-recommends chromium" in (tmp_path / "asked").read_text()


def test_what_the_browsers_driver_needs_is_installed_where_it_is_missing(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    program(tmp_path / "apt-get", f'echo "$@" >> {tmp_path}/asked')
    debian.driver_library()  # Playwright runs here, so it is there
    assert not (tmp_path / "asked").exists()

    def lacks(name):
        raise OSError(f"{name}: cannot open shared object file")

    monkeypatch.setattr(ctypes, "CDLL", lacks)
    debian.driver_library()
    assert "install --yes --no-install-recommends libatomic1" in (tmp_path / "asked").read_text()


def test_anyone_else_is_told_what_to_type(monkeypatch, tmp_path):
    monkeypatch.delenv("CHROMIUM", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(debian.Missing, match="sudo apt-get install chromium"):
        debian.chromium()


def test_a_failing_apt_get_is_told(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    program(tmp_path / "apt-get", "exit 100")
    with pytest.raises(debian.Missing, match="could not install chromium"):
        debian.install("chromium", reason="the tests drive a real browser")


def test_a_private_postgres_comes_and_goes():
    with postgres.private_cluster() as url:
        place = Path(url.partition("@")[2].partition("/")[0].replace("%2F", "/"))
        with psycopg.connect(host=str(place), user="studio", dbname="postgres") as connection:
            assert connection.execute("SHOW fsync").fetchone() == ("off",)
    assert not place.exists()


def test_the_example_of_the_settings_names_all_of_them():
    sources = ["contentstudio/settings.py", "articles/management/commands/studio.py"]
    read = set()
    for source in sources:
        read |= set(re.findall(r'(?:env\.\w+|environ\.get)\(\s*"([A-Z_]+)"', (ROOT / source).read_text()))
    of_one_agent = {name for name in SETTINGS if name.startswith("LLM_MODEL_")}
    assert set(SETTINGS) - of_one_agent == read
