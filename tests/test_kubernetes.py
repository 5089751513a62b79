"""The Kubernetes manifests: valid by the API's own schema, without rights, with probes, limits and settings that exist."""

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

FOLDER = ROOT / "deploy" / "kubernetes"
SCHEMA = json.loads((ROOT / "tests" / "schemas" / "kubernetes-1.37.json").read_text())
"""The definitions of the kinds used here, of the strict schemas of Kubernetes 1.37, without descriptions."""

KUSTOMIZATION = yaml.safe_load((FOLDER / "kustomization.yaml").read_text())
OBJECTS: list[dict[str, Any]] = [
    found for name in KUSTOMIZATION["resources"] for found in yaml.safe_load_all((FOLDER / name).read_text())
]
RUNNING = [found for found in OBJECTS if found["kind"] in {"Deployment", "Job"}]
PODS: dict[str, Any] = {found["metadata"]["name"]: found["spec"]["template"]["spec"] for found in RUNNING}


def schema_of(kind: str) -> dict[str, Any]:
    name = next(name for name in SCHEMA["$defs"] if name.startswith("io.k8s.api.") and name.endswith(f".{kind}"))
    return {**SCHEMA, "$ref": f"#/$defs/{name}"}


@pytest.mark.parametrize("found", OBJECTS, ids=lambda found: f"{found['kind']}-{found['metadata']['name']}")
def test_it_is_valid(found: dict[str, Any]) -> None:
    jsonschema.Draft202012Validator(schema_of(found["kind"])).validate(found)


def test_all_files_are_applied() -> None:
    assert {path.name for path in FOLDER.iterdir()} == {*KUSTOMIZATION["resources"], "kustomization.yaml"}


def test_each_role_has_a_pod() -> None:
    roles = [variable["value"] for pod in PODS.values() for variable in pod["containers"][0]["env"]]
    assert sorted(roles) == sorted(set(Role) - {Role.ALL})


@pytest.mark.parametrize("name", PODS)
def test_a_pod_meets_the_restricted_standard(name: str) -> None:
    pod = PODS[name]
    container = pod["containers"][0]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "readOnlyRootFilesystem": True,
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
    }
    assert pod["automountServiceAccountToken"] is False
    assert container["resources"]["limits"]["memory"]
    assert ("livenessProbe" in container) == (name != "content-studio-migrate")


def test_the_settings_exist_and_none_is_a_secret() -> None:
    data = next(found["data"] for found in OBJECTS if found["kind"] == "ConfigMap")
    assert data.keys() <= settings_read().keys()
    assert all(value.startswith("/run/secrets/") for name, value in data.items() if re.search("KEY|PASSWORD", name))
