"""The systemd units are valid, run as a user without rights, and name roles and settings that exist."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from contentstudio.runtime.roles import Role
from tests.environment import ROOT
from tests.test_configuration import settings_read

UNITS = ROOT / "deploy" / "systemd"
SERVICES = sorted(UNITS.glob("*.service"))
PYTHON = "/opt/content-studio/.venv/bin/python"


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not installed")
def test_systemd_accepts_them(tmp_path: Path) -> None:
    """With the programs of this machine in place of those of an installation, whose existence is checked, too."""
    for unit in UNITS.iterdir():
        text = unit.read_text().replace(PYTHON, sys.executable).replace("User=content-studio", "User=daemon")
        text = text.replace("Group=content-studio", "Group=daemon")
        (tmp_path / unit.name).write_text(re.sub(r"^(Documentation|WorkingDirectory)=.*\n", "", text, flags=re.M))
    names = ["content-studio.service", "content-studio.target", "content-studio-migrate.service"]
    names += [f"content-studio@{role}.service" for role in ("web", "worker", "sweeper")]
    names += ["content-studio-health@worker.service", "content-studio-health@worker.timer"]
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *(tmp_path / name for name in names)],
        env={"SYSTEMD_UNIT_PATH": f"{tmp_path}:/lib/systemd/system", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    ours = [line for line in done.stderr.splitlines() if "content-studio" in line]
    assert (done.returncode, ours) == (0, []), done.stderr


@pytest.mark.parametrize("unit", SERVICES, ids=lambda path: path.name)
def test_a_service_runs_without_rights(unit: Path) -> None:
    text = unit.read_text()
    for line in ("User=content-studio", "NoNewPrivileges=yes", "ProtectSystem=strict", "PrivateTmp=yes"):
        assert f"\n{line}\n" in text, line
    if "health" not in unit.name:
        for line in ("CapabilityBoundingSet=", "SystemCallFilter=@system-service", "StateDirectoryMode=0700"):
            assert f"\n{line}\n" in text, line


def test_they_name_roles_and_settings_that_exist() -> None:
    text = "\n".join(path.read_text() for path in UNITS.iterdir())
    settings = {
        name for line in re.findall(r"^Environment=(.*)$", text, re.MULTILINE) for name in re.findall(r"(\w+)=", line)
    }
    assert settings <= settings_read().keys()
    assert set(re.findall(r"ROLE=(\w+)", text)) | set(re.findall(r"content-studio@(\w+)\.service", text)) <= set(Role)


def test_each_secret_is_a_credential() -> None:
    for name in ("content-studio@.service", "content-studio-migrate.service"):
        text = (UNITS / name).read_text()
        loaded = dict(re.findall(r"^LoadCredential=([\w-]+):(\S+)$", text, re.MULTILINE))
        used = re.findall(r"^Environment=(\w+)_FILE=%d/([\w-]+)$", text, re.MULTILINE)
        assert {credential for _, credential in used} == loaded.keys()
        assert {name for name, _ in used} == {"SECRET_KEY", "DATABASE_PASSWORD", "REDIS_PASSWORD"}
