"""The set-up: which Python it uses, when it has nothing to install, and which Debian packages it installs."""

from __future__ import annotations

import ctypes
import os
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import psycopg
import pytest

from setup import checks, debian, install, postgres
from setup.install import Installation
from tests.environment import ROOT, SETTINGS
from tests.test_configuration import settings_read


def program(path: Path, script: str) -> Path:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def run_python(path: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    command = ["/bin/sh", str(ROOT / "setup" / "python"), "-c", "import sys; print(sys.executable)"]
    return subprocess.run(command, env={"PATH": str(path), **environment}, capture_output=True, text=True, check=False)


def test_unsupported_versions_of_python_are_skipped(tmp_path: Path) -> None:
    program(tmp_path / "python3", "exit 1")
    program(tmp_path / "python3.12", f'exec {sys.executable} "$@"')
    assert run_python(tmp_path).stdout.strip() == sys.executable


def test_the_python_variable_takes_precedence(tmp_path: Path) -> None:
    program(tmp_path / "python3", "exit 1")
    assert run_python(tmp_path, PYTHON=sys.executable).stdout.strip() == sys.executable


def test_the_supported_versions_are_named_if_none_is_found(tmp_path: Path) -> None:
    result = run_python(tmp_path)
    assert result.returncode == 1
    assert "needs Python 3.11, 3.12 or 3.13" in result.stderr


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    """An environment and both locks, of which none has been installed."""
    (tmp_path / "requirements.lock").write_text("django==5.2\n")
    (tmp_path / "requirements-dev.lock").write_text("django==5.2\npytest==9\n")
    created = Installation(tmp_path)
    created.python.parent.mkdir(parents=True)
    created.python.touch()
    return created


def test_a_changed_lock_is_installed(installation: Installation) -> None:
    installation.stamp.write_text(installation.fingerprint("requirements.lock"))
    assert installation.is_complete("requirements.lock")
    (installation.root / "requirements.lock").write_text("django==5.3\n")
    assert not installation.is_complete("requirements.lock")


def test_the_development_lock_is_sufficient_to_run_the_studio(installation: Installation) -> None:
    installation.stamp.write_text(installation.fingerprint("requirements-dev.lock"))
    assert installation.is_complete("requirements.lock", "requirements-dev.lock")
    assert not installation.is_complete("requirements.lock")


def test_an_interrupted_installation_is_incomplete(installation: Installation) -> None:
    assert not installation.is_complete("requirements.lock")


def test_an_installation_without_its_python_is_incomplete(installation: Installation) -> None:
    installation.stamp.write_text(installation.fingerprint("requirements.lock"))
    installation.python.unlink()
    assert not installation.is_complete("requirements.lock")


def test_an_environment_behind_a_link_is_left_alone(installation: Installation, tmp_path: Path) -> None:
    installation.venv.rename(tmp_path / "shared")
    installation.venv.symlink_to(tmp_path / "shared")
    with pytest.raises(SystemExit, match=r"is a link to .*/shared, which may serve another copy\. Remove the link"):
        installation.install("requirements.lock")
    assert (tmp_path / "shared" / "bin" / "python").exists()


def test_bytecode_is_written_even_if_the_shell_disables_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    assert "PYTHONDONTWRITEBYTECODE" not in install.installer_environment()


def test_the_systems_certificates_are_trusted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("PIP_CERT", raising=False)
    monkeypatch.delenv("UV_SYSTEM_CERTS", raising=False)
    monkeypatch.setattr(install, "CERTIFICATES", program(tmp_path / "ca.crt", ""))
    assert install.installer_environment()["PIP_CERT"] == str(tmp_path / "ca.crt")
    assert install.installer_environment()["UV_SYSTEM_CERTS"] == "true"


def test_the_installer_has_the_version_and_hashes_of_the_lock() -> None:
    locked = (ROOT / "requirements.lock").read_text()
    bootstrap = (ROOT / "setup" / "bootstrap.txt").read_text()
    uv = re.search(r"^uv==.*?(?=^\S|^    #)", locked, re.MULTILINE | re.DOTALL)
    assert uv is not None
    assert bootstrap.partition("\n")[2].split() == uv[0].split()


def test_both_locks_have_the_same_versions() -> None:
    versions = {
        name: dict(re.findall(r"^([a-z0-9._-]+)==([^ ;]+)", (ROOT / name).read_text(), re.MULTILINE))
        for name in ("requirements.lock", "requirements-dev.lock")
    }
    assert versions["requirements.lock"].items() <= versions["requirements-dev.lock"].items()


def test_the_chromium_variable_takes_precedence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHROMIUM", "/opt/chrome")
    assert debian.chromium() == "/opt/chrome"


def test_root_installs_a_missing_browser(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("CHROMIUM", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    program(
        tmp_path / "apt-get",
        f'echo "$@" >> {tmp_path}/arguments; : > {tmp_path}/chromium; /bin/chmod +x {tmp_path}/chromium',
    )
    assert debian.chromium() == str(tmp_path / "chromium")
    assert "install --yes --no-install-recommends chromium" in (tmp_path / "arguments").read_text()


def test_a_missing_library_of_the_browser_driver_is_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    program(tmp_path / "apt-get", f'echo "$@" >> {tmp_path}/arguments')
    debian.browser_driver_library()  # installed here, since Playwright runs
    assert not (tmp_path / "arguments").exists()

    def fail_to_load(name: str) -> None:
        raise OSError(f"{name}: cannot open shared object file")

    monkeypatch.setattr(ctypes, "CDLL", fail_to_load)
    debian.browser_driver_library()
    assert "install --yes --no-install-recommends libatomic1" in (tmp_path / "arguments").read_text()


def test_wrk_is_installed_if_it_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    program(tmp_path / "apt-get", f": > {tmp_path}/wrk; /bin/chmod +x {tmp_path}/wrk")
    assert debian.wrk() == str(tmp_path / "wrk")


def test_other_users_get_the_command_to_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("CHROMIUM", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(debian.Missing, match="run: sudo apt-get install chromium"):
        debian.chromium()


def test_a_failing_apt_get_is_reported(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    program(tmp_path / "apt-get", "exit 100")
    with pytest.raises(debian.Missing, match="could not install chromium"):
        debian.install("chromium", reason="the tests drive a real browser")


def test_a_private_postgresql_server_is_removed_afterwards() -> None:
    with postgres.private_server() as url:
        directory = Path(url.partition("@")[2].partition("/")[0].replace("%2F", "/"))
        with psycopg.connect(host=str(directory), user="studio", dbname="postgres") as connection:
            assert connection.execute("SHOW fsync").fetchone() == ("off",)
    assert not directory.exists()


def test_all_settings_are_in_the_example() -> None:
    def not_of_one_agent(names: Iterable[str]) -> set[str]:
        return {name for name in names if not name.startswith("LLM_MODEL_")}

    assert not_of_one_agent(SETTINGS) == not_of_one_agent(settings_read())


def test_tests_that_run_on_sqlite_only_exist() -> None:
    assert [file for file in checks.SQLITE_ONLY if not (ROOT / "tests" / file).exists()] == []
