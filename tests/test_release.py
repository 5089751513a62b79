"""The release: its SBOM and licence list, and what makes it fail."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, ClassVar

import pytest

from setup import licences, release, vulnerabilities
from setup.licences import is_acceptable, locked
from setup.vulnerabilities import ServiceUnreachable, Vulnerability, known_vulnerabilities
from tests.environment import ROOT

LOCK = (ROOT / "requirements.lock").read_text()
TWO = [("django", "5.2.19"), ("old-package", "1.0")]


class OsvServer(BaseHTTPRequestHandler):
    """Answers like OSV: ``vulnerable`` has ids by package; one with two ids is answered on two pages."""

    vulnerable: ClassVar[dict[str, list[str]]] = {}
    asked: ClassVar[list[dict[str, Any]]] = []

    def do_POST(self) -> None:
        queries = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["queries"]
        self.asked.extend(queries)
        self.send_response(200 if self.path == "/v1/querybatch" else 404)
        self.end_headers()
        self.wfile.write(json.dumps({"results": [self.result(query) for query in queries]}).encode())

    def result(self, query: dict[str, Any]) -> dict[str, Any]:
        ids = self.vulnerable.get(query["package"]["name"], [])
        place = int(query.get("page_token", 0))
        page: dict[str, Any] = {"vulns": [{"id": ids[place]}]} if ids else {}
        return page | ({"next_page_token": str(place + 1)} if place + 1 < len(ids) else {})

    def log_message(self, *args: Any) -> None:
        """Not to the tests' output."""


@pytest.fixture
def osv(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), OsvServer)
    Thread(target=server.serve_forever, daemon=True).start()
    OsvServer.vulnerable, OsvServer.asked = {}, []
    address = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setattr(known_vulnerabilities, "__defaults__", (address,))
    yield address
    server.shutdown()
    server.server_close()


class TestVulnerabilities:
    def test_it_asks_for_every_locked_version(self, osv: str) -> None:
        assert release.vulnerability_problems(LOCK) == []
        asked = {(query["package"]["name"], query["version"]) for query in OsvServer.asked}
        assert asked == set(locked(LOCK))
        assert len(asked) > 150

    def test_all_pages_of_an_answer_are_read(self, osv: str) -> None:
        OsvServer.vulnerable = {"old-package": ["PYSEC-1", "GHSA-2"]}
        found = [Vulnerability("old-package", "1.0", id) for id in ("PYSEC-1", "GHSA-2")]
        assert known_vulnerabilities(TWO, osv) == found

    def test_a_known_one_is_a_problem_unless_it_is_accepted(
        self, osv: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        OsvServer.vulnerable = {"django": ["GHSA-1"]}
        (problem,) = release.vulnerability_problems(LOCK)
        assert problem.startswith("known vulnerability of django 5.2")
        list_file = tmp_path / "accepted.txt"
        monkeypatch.setattr(release, "ACCEPTED", list_file)
        list_file.write_text("# id, day, reason\nGHSA-1 9999-12-31 only with GeoDjango\n")
        assert release.vulnerability_problems(LOCK) == []
        list_file.write_text("GHSA-1 2026-01-01 only with GeoDjango\n")
        assert len(release.vulnerability_problems(LOCK)) == 1, "its time is over"

    @pytest.mark.parametrize("service", ["http://127.0.0.1:9", "http://nowhere.invalid"])
    def test_an_unreachable_service_is_no_success(self, service: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(known_vulnerabilities, "__defaults__", (service,))
        (problem,) = release.vulnerability_problems(LOCK)
        assert "could not be looked up" in problem
        assert service in problem
        assert "OSV_URL" in problem

    @pytest.mark.parametrize("results", [[], [{}], "no list", None])
    def test_an_answer_of_another_kind_is_no_success(
        self, results: Any, monkeypatch: pytest.MonkeyPatch, osv: str
    ) -> None:
        monkeypatch.setattr(json, "load", lambda answer: {"results": results} if results != [] else {})
        with pytest.raises(ServiceUnreachable):
            known_vulnerabilities(TWO, osv)

    def test_the_list_of_accepted_ones_can_be_read(self) -> None:
        assert vulnerabilities.accepted(release.ACCEPTED, date(2026, 1, 1)) is not None


class TestLicences:
    @pytest.mark.parametrize(
        "licence",
        [
            "MIT", "BSD License", "Apache-2.0 OR GPL-3.0-only", "LGPL-3.0-only", "MPL-2.0 AND MIT",
            "MPL-2.0 AND (Apache-2.0 OR MIT)", "MPL-1.1 OR GPL-2.0-only OR LGPL-2.1-or-later",
            "GNU General Public License v2 or later (GPLv2+) OR Mozilla Public License 1.1 (MPL 1.1)",
            "GNU Lesser General Public License v3 or later (LGPLv3+)",
        ],
    )  # fmt: skip
    def test_it_accepts(self, licence: str) -> None:
        assert is_acceptable(licence)

    @pytest.mark.parametrize(
        "licence",
        [
            "", "GPL-3.0-only", "AGPL-3.0-or-later", "GNU General Public License v3 (GPLv3)", "SSPL-1.0",
            "MIT AND GPL-2.0-only", "GNU Affero General Public License v3", "GPL-2.0-only AND (MIT OR Apache-2.0)",
        ],
    )  # fmt: skip
    def test_it_refuses(self, licence: str) -> None:
        assert not is_acceptable(licence)

    def test_all_packages_of_the_lock_are_acceptable(self) -> None:
        found = list(licences.packages(LOCK))
        assert release.licence_problems(found) == []
        assert len(found) > 150
        assert licences.STATED.keys() <= {each.name for each in found}

    def test_the_list_names_packages_programs_and_files(self) -> None:
        text = licences.listing(list(licences.packages(LOCK)), ROOT / "static" / "vendor")
        for expected in ("| django | 5.2", "pandoc", "- htmx-2.0.11"):
            assert expected in text


def test_the_sbom_names_the_locked_packages_and_no_others(tmp_path: Path) -> None:
    release.write_sbom(tmp_path / "sbom.json", LOCK)
    sbom = json.loads((tmp_path / "sbom.json").read_text())
    names = {release.normalised(each["name"]) for each in sbom["components"]}
    assert (sbom["bomFormat"], sbom["specVersion"]) == ("CycloneDX", "1.6")
    assert sbom["metadata"]["component"]["name"] == "contentstudio"
    assert {"django", "crewai"} <= names
    assert "pytest" not in names
    assert names <= {release.normalised(name) for name, _ in locked(LOCK)}
    known = {each["bom-ref"] for each in sbom["components"]} | {sbom["metadata"]["component"]["bom-ref"]}
    assert all(set(each.get("dependsOn", [])) <= known for each in sbom["dependencies"])


def test_the_release_fails_with_a_problem_and_not_without(
    osv: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(release, "write_sbom", lambda path, lock: None)
    assert release.main(tmp_path) == 0
    OsvServer.vulnerable = {"django": ["GHSA-1"]}
    assert release.main(tmp_path) == 1
