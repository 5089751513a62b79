"""``make release``: writes the SBOM and the licence list, and refuses copyleft licences and known vulnerabilities."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from setup import licences, vulnerabilities
from setup.vulnerabilities import ServiceUnreachable

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements.lock"
ACCEPTED = ROOT / "setup" / "accepted-vulnerabilities.txt"


def main(target: Path) -> int:
    """The number of problems, each of which is printed."""
    target.mkdir(exist_ok=True)
    lock = LOCK.read_text()
    found = list(licences.packages(lock))
    (target / "licences.md").write_text(licences.listing(found, ROOT / "static" / "vendor"))
    write_sbom(target / "sbom.cdx.json", lock)
    problems = [*licence_problems(found), *vulnerability_problems(lock)]
    for problem in problems:
        print(f"problem: {problem}")
    print(f"{target}/licences.md and {target}/sbom.cdx.json: {len(found)} packages, {len(problems)} problems")
    return len(problems)


def licence_problems(found: list[licences.Package]) -> list[str]:
    return [
        f"{each.name} {each.version} is under “{each.licence or 'no licence that its metadata name'}”, which cannot be shipped"
        for each in found
        if not licences.is_acceptable(each.licence)
    ]


def vulnerability_problems(lock: str) -> list[str]:
    """Also if they are not known, because the service cannot be reached: that is no success."""
    try:
        known = vulnerabilities.known_vulnerabilities(licences.locked(lock))
    except ServiceUnreachable as error:
        return [f"known vulnerabilities could not be looked up. {error} Set OSV_URL to a mirror that can be reached."]
    fine = vulnerabilities.accepted(ACCEPTED, datetime.now(UTC).date())
    return [f"known vulnerability of {each}" for each in known if each.id not in fine]


def write_sbom(path: Path, lock: str) -> None:
    """CycloneDX 1.6 of the installed packages, without those that are installed for development only."""
    command = ["-m", "cyclonedx_py", "environment", "--output-reproducible", "--of", "JSON", "--sv", "1.6"]
    command += ["--pyproject", str(ROOT / "pyproject.toml"), "--output-file", str(path), sys.executable]
    subprocess.run([sys.executable, *command], check=True)
    path.write_text(json.dumps(only_locked(json.loads(path.read_text()), lock), indent=1) + "\n")


def only_locked(sbom: dict[str, Any], lock: str) -> dict[str, Any]:
    names = {normalised(name) for name, _ in licences.locked(lock)}
    components = [each for each in sbom["components"] if normalised(each["name"]) in names]
    refs = {each["bom-ref"] for each in components} | {sbom["metadata"]["component"]["bom-ref"]}
    dependencies = [
        each | {"dependsOn": [ref for ref in each.get("dependsOn", []) if ref in refs]}
        for each in sbom["dependencies"]
        if each["ref"] in refs
    ]
    return sbom | {"components": components, "dependencies": dependencies}


def normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    sys.exit(min(1, main(Path(sys.argv[1] if len(sys.argv) > 1 else "dist"))))
