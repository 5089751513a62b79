"""The Helm chart: what Helm renders is valid, has the pods of the plain manifests, and asks for settings that exist."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import subprocess
from typing import Any

import jsonschema
import pytest
import yaml

from contentstudio.runtime.roles import Role
from tests.environment import ROOT
from tests.test_configuration import settings_read
from tests.test_kubernetes import PODS as PLAIN_PODS
from tests.test_kubernetes import SCHEMA, schema_of

CHART = ROOT / "deploy" / "helm"
VALUES: dict[str, Any] = yaml.safe_load((CHART / "values.yaml").read_text())
EVERYTHING = {
    "image": {"pullSecrets": ["registry"], "tag": "9.9.9"},
    "storage": {"storageClass": "shared"},
    "ingress": {"enabled": True, "className": "nginx", "annotations": {"a": "b"}},
    "worker": {"autoscaling": {"enabled": True}},
}

needs_helm = pytest.mark.skipif(
    not (shutil.which("helm") or importlib.util.find_spec("helm_python")),
    reason="neither helm nor the package helm-python-sdk, which contains Helm's own engine, is installed",
)


def render(values: dict[str, Any]) -> list[dict[str, Any]]:
    """The objects that Helm makes of the chart for a release named ``studio``."""
    if shutil.which("helm"):
        command = ["helm", "template", "studio", str(CHART), "--values", "-"]
        done = subprocess.run(command, input=json.dumps(values), capture_output=True, text=True, check=False)
        if done.returncode:
            raise ValueError(done.stderr)
        texts = [done.stdout]
    else:
        import helm_python

        with helm_python.Chart.load(str(CHART)) as chart:
            chart.validate_schema(values)
            rendered = chart.render(values, name="studio", namespace="default")
        texts = [text for name, text in rendered.items() if name.endswith(".yaml")]
    return [found for text in texts for found in yaml.safe_load_all(text) if found]


def pods(objects: list[dict[str, Any]]) -> dict[str, Any]:
    """The pod of each role."""
    running = [found for found in objects if found["kind"] in {"Deployment", "Job"}]
    found = [each["spec"]["template"]["spec"] for each in running]
    return {pod["containers"][0]["name"]: pod for pod in found}


def test_the_default_values_fit_their_schema() -> None:
    jsonschema.Draft202012Validator(json.loads((CHART / "values.schema.json").read_text())).validate(VALUES)


def test_the_settings_exist_and_secrets_are_files() -> None:
    assert VALUES["settings"].keys() <= settings_read().keys()
    assert {f"{name}_FILE" for name in VALUES["secret"]["keys"]} <= settings_read().keys()


def test_the_chart_has_the_version_of_the_studio() -> None:
    project = re.search(r'^version = "(.*)"', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert project
    assert chart["appVersion"] == project[1]


@needs_helm
class TestRendered:
    @pytest.mark.parametrize("values", [{}, EVERYTHING], ids=["defaults", "everything"])
    def test_each_object_is_valid(self, values: dict[str, Any]) -> None:
        objects = render(values)
        kinds = {found["kind"] for found in objects}
        assert {"Deployment", "Job", "Service", "PodDisruptionBudget", "PersistentVolumeClaim"} <= kinds
        known = {name.rpartition(".")[2] for name in SCHEMA["$defs"]}
        for found in objects:
            if found["kind"] in known:
                jsonschema.Draft202012Validator(schema_of(found["kind"])).validate(found)
        assert kinds - known == ({"ScaledObject"} if values else set())

    def test_the_pods_are_those_of_the_plain_manifests(self) -> None:
        rendered = pods(render({}))
        assert rendered.keys() == set(Role) - {Role.ALL}
        for role, pod in rendered.items():
            plain = json.loads(json.dumps(PLAIN_PODS[f"content-studio-{role}"]))
            ours, theirs = pod["containers"][0], plain["containers"][0]
            for own_to_it in ("env", "envFrom", "image", "imagePullPolicy"):
                ours.pop(own_to_it, None)
                theirs.pop(own_to_it, None)
            plain["volumes"][0]["persistentVolumeClaim"]["claimName"] = "studio"
            assert pod == plain, role

    def test_each_pod_has_its_role_the_settings_and_the_secrets(self) -> None:
        for role, pod in pods(render({})).items():
            variables = {each["name"]: each["value"] for each in pod["containers"][0]["env"]}
            assert variables.pop("ROLE") == role
            assert variables.pop("SECRET_KEY_FILE") == "/run/secrets/studio/secret-key"
            files = {f"{name}_FILE" for name in VALUES["secret"]["keys"]} - {"SECRET_KEY_FILE"}
            assert variables.keys() == VALUES["settings"].keys() | files

    def test_migrations_and_their_storage_come_before_everything_else(self) -> None:
        hooks = {
            found["kind"]: found["metadata"]["annotations"]
            for found in render({})
            if "annotations" in found["metadata"] and "helm.sh/hook" in found["metadata"]["annotations"]
        }
        assert hooks["Job"]["helm.sh/hook"] == "pre-install,pre-upgrade"
        assert hooks["PersistentVolumeClaim"]["helm.sh/hook"] == "pre-install"
        assert int(hooks["PersistentVolumeClaim"]["helm.sh/hook-weight"]) < 0
        assert hooks["PersistentVolumeClaim"]["helm.sh/resource-policy"] == "keep"
        assert hooks.keys() == {"Job", "PersistentVolumeClaim"}, "all else needs neither to be installed first"

    def test_selectors_find_the_pods(self) -> None:
        objects = render(EVERYTHING)
        labels = [found["spec"]["template"]["metadata"]["labels"] for found in objects if found["kind"] == "Deployment"]
        for found in objects:
            selector = found["spec"].get("selector") or {}
            wanted = selector.get("matchLabels", selector)
            if wanted:
                assert sum(wanted.items() <= each.items() for each in labels) == 1, found["metadata"]["name"]

    def test_workers_are_scaled_by_the_oldest_wait(self) -> None:
        objects = render(EVERYTHING)
        deployments = {found["metadata"]["name"]: found for found in objects if found["kind"] == "Deployment"}
        scaled = next(found for found in objects if found["kind"] == "ScaledObject")
        target = deployments[scaled["spec"]["scaleTargetRef"]["name"]]
        assert "replicas" not in target["spec"], "an upgrade would undo the scaling"
        assert target["spec"]["template"]["spec"]["containers"][0]["name"] == "worker"
        queries = [trigger["metadata"]["query"] for trigger in scaled["spec"]["triggers"]]
        assert "studio_oldest_waiting_seconds" in queries[0]
        documented = (ROOT / "docs" / "operations.md").read_text()
        assert all(f"`{name}`" in documented for query in queries for name in re.findall(r"studio_\w+", query))

    def test_an_existing_claim_is_used(self) -> None:
        objects = render({"storage": {"existingClaim": "mine"}})
        assert not [found for found in objects if found["kind"] == "PersistentVolumeClaim"]
        claims = [pod["volumes"][0]["persistentVolumeClaim"]["claimName"] for pod in pods(objects).values()]
        assert set(claims) == {"mine"}

    @pytest.mark.parametrize(
        ("values", "named"),
        [
            ({"settings": {"OPENAI_API_KEY": "sk-…"}}, "OPENAI_API_KEY"),
            ({"settings": {"HTTPS": True}}, "HTTPS"),
            ({"secret": {"keys": {"SECRET_KEY": "a/b"}}}, "SECRET_KEY"),
            ({"worker": {"replica": 3}}, "replica"),
            ({"unknown": 1}, "unknown"),
        ],
    )
    def test_wrong_values_are_refused_by_name(self, values: dict[str, Any], named: str) -> None:
        with pytest.raises(Exception, match=named):
            render(values)
