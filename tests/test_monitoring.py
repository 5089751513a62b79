"""The dashboard, the alert rules and the documentation name metrics that a studio has; the rules raise their alerts."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from articles.models import BackupState
from tests.environment import ROOT
from tests.factories import UserFactory, make_completed_article

FOLDER = ROOT / "deploy" / "monitoring"
RULES, TESTS = FOLDER / "alerts.yaml", FOLDER / "alerts.test.yaml"
DASHBOARD: dict[str, Any] = json.loads((FOLDER / "grafana-dashboard.json").read_text())
PANELS: list[dict[str, Any]] = DASHBOARD["panels"]
ALERTS: list[dict[str, Any]] = [
    rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]
]

PANEL_EXPRESSIONS = [target["expr"] for panel in PANELS for target in panel["targets"]]
EXPRESSIONS = [*PANEL_EXPRESSIONS, *(alert["expr"] for alert in ALERTS)]
OPERATIONS = (ROOT / "docs" / "operations.md").read_text()

METRIC = re.compile(r"\bstudio_\w+")
SELECTOR = re.compile(r"(studio_\w+)\{([^}]*)\}")
MATCHER = re.compile(r'(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"')
GROUPING = re.compile(r"\bby \(([^)]*)\)")

needs_promtool = pytest.mark.skipif(
    not shutil.which("promtool"), reason="promtool is not installed; Debian has it in the package prometheus"
)

Samples = list[tuple[str, dict[str, str]]]


@pytest.fixture
def samples(site: str, settings: Any) -> Samples:
    """The name and the labels of each sample that a running web server reports."""
    settings.METRICS_TOKEN = "a token for these tests"
    make_completed_article(UserFactory.create())
    BackupState.objects.create(succeeded_at=timezone.now(), size=1)
    answer = httpx.get(f"{site}/metrics", headers={"Authorization": "Bearer a token for these tests"}, trust_env=False)
    families = text_string_to_metric_families(answer.raise_for_status().text)
    return [(sample.name, sample.labels) for family in families for sample in family.samples]


@pytest.mark.django_db(transaction=True)
class TestNames:
    def test_each_metric_of_an_expression_exists(self, samples: Samples) -> None:
        named = {name for expression in EXPRESSIONS for name in METRIC.findall(expression)}
        assert len(named) > 15
        assert named <= {name for name, _ in samples}

    def test_each_label_of_an_expression_exists_and_has_the_value(self, samples: Samples) -> None:
        found = [
            (name, *matcher)
            for expression in EXPRESSIONS
            for name, matchers in SELECTOR.findall(expression)
            for matcher in MATCHER.findall(matchers)
        ]
        assert len(found) > 5
        for name, label, operator, value in found:
            values = {labels.get(label) for sample, labels in samples if sample == name}
            wanted = set(value.split("|")) if "~" in operator else {value}
            assert wanted <= values, f'{name}{{{label}{operator}"{value}"}}'

    def test_each_label_that_is_grouped_by_exists(self, samples: Samples) -> None:
        for expression in EXPRESSIONS:
            names = set(METRIC.findall(expression))
            known = {label for sample, labels in samples if sample in names for label in labels}
            grouped = {label.strip() for group in GROUPING.findall(expression) for label in group.split(",")}
            assert grouped <= known, expression

    def test_the_documentation_lists_each_metric_and_no_others(self, samples: Samples) -> None:
        suffix = re.compile(r"_(bucket|count|sum)$")
        families = {suffix.sub("", name) for name, _ in samples}
        documented = {
            suffix.sub("", name)
            for row in re.findall(r"^\| (`studio_.*?) \| ", OPERATIONS, re.MULTILINE)
            for name in re.findall(r"`(studio_\w+)", row)
        }
        assert documented == families


def test_the_documentation_lists_each_alert() -> None:
    documented = re.findall(r"^\| (Studio[A-Z]\w+) \|", OPERATIONS, re.MULTILINE)
    assert documented == [alert["alert"] for alert in ALERTS]


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: str(alert["alert"]))
def test_each_alert_says_what_to_do_and_is_tested(alert: dict[str, Any]) -> None:
    assert alert["labels"]["severity"] in {"critical", "warning"}
    assert alert["annotations"].keys() == {"summary", "action"}
    cases = [case for test in yaml.safe_load(TESTS.read_text())["tests"] for case in test["alert_rule_test"]]
    of_alert = [case for case in cases if case["alertname"] == alert["alert"]]
    assert any(case["exp_alerts"] for case in of_alert)
    assert any(not case["exp_alerts"] for case in of_alert)


def test_panels_do_not_overlap_and_all_use_the_chosen_source() -> None:
    assert len({panel["id"] for panel in PANELS}) == len({panel["title"] for panel in PANELS}) == len(PANELS)
    places = [place for panel in PANELS for place in places_of(panel["gridPos"])]
    assert len(places) == len(set(places))
    variables = {variable["name"] for variable in DASHBOARD["templating"]["list"]}
    assert variables == {"datasource"}
    sources = [panel["datasource"]["uid"] for panel in PANELS]
    sources += [target["datasource"]["uid"] for panel in PANELS for target in panel["targets"]]
    assert set(sources) == {"${datasource}"}


def places_of(position: dict[str, int]) -> Iterator[tuple[int, int]]:
    for x in range(position["x"], position["x"] + position["w"]):
        assert x < 24, "Grafana's grid has 24 columns"
        for y in range(position["y"], position["y"] + position["h"]):
            yield x, y


@needs_promtool
class TestWithPromtool:
    def test_the_rules_are_valid(self) -> None:
        assert "SUCCESS" in promtool("check", "rules", str(RULES))

    def test_the_rules_raise_their_alerts(self) -> None:
        assert "SUCCESS" in promtool("test", "rules", str(TESTS))

    def test_each_expression_of_the_dashboard_is_valid(self, tmp_path: Path) -> None:
        rules = [
            {"record": f"panel:{number}", "expr": expression.replace("$__rate_interval", "5m")}
            for number, expression in enumerate(PANEL_EXPRESSIONS)
        ]
        file = tmp_path / "panels.yaml"
        file.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
        assert f"{len(rules)} rules found" in promtool("check", "rules", str(file))


def promtool(*arguments: str) -> str:
    done = subprocess.run(["promtool", *arguments], capture_output=True, text=True, cwd=FOLDER, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr
