"""The Compose files: valid by the schema of the specification, hardened, limited, and without a secret in them."""

from __future__ import annotations

import json
import re
from typing import Any

import jsonschema
import pytest
import yaml

from contentstudio.runtime.roles import Role
from tests.environment import ROOT
from tests.test_configuration import settings_read

FILES = ("compose.yaml", "compose.small.yaml")
WITH_S3 = "compose.s3.yaml"
"""Is merged with the first one: maps and lists are extended."""

SCHEMA = json.loads((ROOT / "tests" / "schemas" / "compose-spec.json").read_text())
VARIABLE = re.compile(r"(?<!\$)\$\{(\w+)(?::[-?]([^}]*))?\}")


def loaded(file: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / file).read_text())
    return found


def services(file: str) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = loaded(file)["services"]
    return found


def of_studio() -> list[dict[str, Any]]:
    """The services that run the studio's image, in both files."""
    return [service for file in FILES for service in services(file).values() if "STUDIO_IMAGE" in service["image"]]


@pytest.mark.parametrize("file", [*FILES, WITH_S3])
def test_it_follows_the_specification(file: str) -> None:
    jsonschema.Draft202012Validator(SCHEMA).validate(loaded(file))


def test_each_role_has_a_service() -> None:
    assert sorted(service["environment"]["ROLE"] for service in of_studio()) == sorted(Role)


def test_the_environment_consists_of_settings_that_exist() -> None:
    known = settings_read().keys()
    assert {name for service in of_studio() for name in service["environment"]} <= known


@pytest.mark.parametrize("file", FILES)
def test_secrets_are_files(file: str) -> None:
    for service in services(file).values():
        for name, value in (service.get("environment") or {}).items():
            if re.search("PASSWORD|SECRET|KEY|TOKEN", name):
                assert re.fullmatch(r"/run/secrets/[\w-]+", value), name
                assert value.rpartition("/")[2] in service["secrets"]
    assert all(secret["file"].startswith("./secrets/") for secret in loaded(file).get("secrets", {}).values())


@pytest.mark.parametrize("file", FILES)
def test_every_service_is_limited_and_watched(file: str) -> None:
    for name, service in services(file).items():
        assert service["deploy"]["resources"]["limits"].keys() == {"memory", "cpus", "pids"}, name
        assert service["logging"]["options"]["max-size"], name
        assert "no-new-privileges:true" in service["security_opt"], name
        if name not in {"migrate", "caddy"}:
            assert service["healthcheck"]["test"][0].startswith("CMD"), name
        assert service["restart"] == ("no" if name == "migrate" else "unless-stopped"), name


def test_the_studio_has_no_rights_and_a_read_only_root() -> None:
    for service in of_studio():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert "cap_add" not in service
        assert service["user"] == "${STUDIO_USER:-10001:0}"
        assert {mount.split(":")[0] for mount in service["volumes"]} == {"data"}


def test_services_wait_for_what_they_need() -> None:
    found = services("compose.yaml")
    for role in ("web", "worker", "sweeper"):
        conditions = {name: need["condition"] for name, need in found[role]["depends_on"].items()}
        assert conditions == {
            "database": "service_healthy",
            "redis": "service_healthy",
            "migrate": "service_completed_successfully",
        }


def test_a_host_name_is_required_and_everything_else_has_a_default() -> None:
    variables = VARIABLE.findall((ROOT / "compose.yaml").read_text())
    required = {name for name, default in variables if default.startswith("Set ")}
    assert required == {"STUDIO_HOST"}
    assert {name for name, default in variables if not default} == {"STUDIO_HOST"}


def test_only_the_web_and_the_proxy_can_be_reached() -> None:
    found = services("compose.yaml")
    assert {name for name, service in found.items() if "ports" in service} == {"web", "caddy"}
    assert found["web"]["ports"] == ["127.0.0.1:${STUDIO_PORT:-8000}:8000"]
    assert loaded("compose.yaml")["networks"]["inside"] == {"internal": True}
    for name in ("database", "redis"):
        assert found[name]["networks"] == ["inside"]


class TestWithS3:
    def test_all_roles_get_the_settings_and_the_key(self) -> None:
        found, known = services(WITH_S3), settings_read().keys()
        assert found.keys() == {"web", "worker", "sweeper", "migrate", "s3"}
        for name in ("web", "worker", "sweeper", "migrate"):
            assert found[name].keys() == {"environment", "secrets"}
            assert found[name]["environment"].keys() <= known
            for setting, value in found[name]["environment"].items():
                if setting.endswith("_FILE"):
                    assert value.removeprefix("/run/secrets/") in found[name]["secrets"]
        assert all(secret["file"].startswith("./secrets/") for secret in loaded(WITH_S3)["secrets"].values())

    def test_its_server_is_limited_and_has_no_rights(self) -> None:
        server, other = services(WITH_S3)["s3"], services("compose.yaml")["redis"]
        for name in ("init", "read_only", "cap_drop", "security_opt", "restart", "logging", "networks"):
            assert server[name] == other[name], name
        assert server["deploy"]["resources"]["limits"].keys() == {"memory", "cpus", "pids"}
        assert server["healthcheck"]["test"][0] == "CMD"
        assert "ports" not in server
