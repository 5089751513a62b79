"""Replaces the key of a step, such as ``edit:evidence:3:again-1``, by columns, and gives failed runs a code.

The data is converted here with its own copies of the old formats: the application's code will change, this must not.
"""

import re
from typing import Any

from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models import Q

BATCH = 200  # rows whose outputs are held in memory at once

KEY = re.compile(
    r"(?P<stage>[a-z]+)(?::(?P<kind>[a-z]+))?(?::(?P<section>\d{1,4}))?(?::(?P<repeat>again|length)-(?P<number>\d{1,4}))?"
)

FAILURES = {
    r"^The worker died": "worker_died",
    r"^Something went wrong in the studio": "internal_error",
    r"^No source could be read|^The sources hold fewer": "nothing_to_read",
    r"^Nothing was written|words asked for|not write in the language|^The article was to|^The sources hold no": "brief_not_met",
    r"^The picture could not be saved": "storage_full",
    r"quota is used up": "model_quota",
    r"content filter|declined to answer": "model_content_filter",
    r"limits how often": "model_rate_limited",
    r"too long for": "model_context_too_long",
    r"cut at its limit of tokens|has no end": "model_output_too_long",
    r"key was refused|key may not use": "model_auth",
    r"knows no model|certificate|does not speak TLS|no address": "model_misconfigured",
    r"did not answer in time|fell silent|cannot be reached|name of the model's server|overloaded|server failed|broke off": (
        "model_unavailable"
    ),
    r"in the form asked for|something that cannot be read|answered with nothing": "model_bad_output",
    r"refused the request": "model_other",
    r"has cost .* may cost": "spending_limit",
}
"""What the sentences of the earlier release held → code. The first that is found counts."""


def columns(key: str) -> dict[str, Any]:
    found = KEY.fullmatch(key)
    if not found:
        stage, _, rest = key.partition(":")
        return {"stage": stage[:20], "kind": rest[:20], "section": 0, "attempt": 1}
    kind, number = found["kind"], int(found["number"] or 0)
    if kind is None:  # write:3, write:3:again-1, edit:3:length-1
        kind, attempt = ("length", number) if found["repeat"] else ("section", 1)
    else:  # edit:evidence:3 and edit:evidence:3:again-1, the second check
        attempt = number + 1
    return {"stage": found["stage"], "kind": kind, "section": int(found["section"] or 0), "attempt": attempt}


def key(stage: str, kind: str, section: int, attempt: int) -> str:
    parts = [stage] if kind in ("section", "length") else [stage, kind]
    if section:
        parts.append(str(section))
    if kind == "length":
        parts.append(f"{'length' if stage == 'edit' else 'again'}-{attempt}")
    elif attempt > 1:
        parts.append(f"again-{attempt - 1}")
    return ":".join(parts)


def counts(kind: str, output: Any) -> dict[str, int]:
    """What the timeline shows of a completed step."""
    if not isinstance(output, dict):
        return {}
    if kind == "evidence":
        rows = output.get("evidence")
        verdicts = [row.get("verdict") for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
        return {
            "sentences": len(verdicts),
            "supported": verdicts.count("supported"),
            "partly": verdicts.count("partly"),
            "unsupported": verdicts.count("not"),
        }
    lists = {"plan": ("questions",), "read": ("sources", "passages"), "make": ("sections",), "approved": ("sections",)}
    return {name: len(output[name]) for name in lists.get(kind, ()) if isinstance(output.get(name), list)}


def check_now(schema_editor: BaseDatabaseSchemaEditor) -> None:
    """PostgreSQL alters no table with deferred checks pending, which a second update of a row in one transaction leaves."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        schema_editor.execute("SET CONSTRAINTS ALL DEFERRED")


def fill_columns(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """One statement for each key that occurs; there are a few hundred, however many runs."""
    steps: Any = apps.get_model("articles", "Step").objects.using(schema_editor.connection.alias).order_by()
    for stored in list(steps.values_list("key", flat=True).distinct()):
        steps.filter(key=stored).update(**columns(stored.partition("#")[0]))  # outline:make#1 was replaced by another


def fill_counts(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    steps: Any = apps.get_model("articles", "Step").objects.using(schema_editor.connection.alias)
    counted = steps.filter(kind__in=["plan", "read", "make", "approved", "evidence"], output__isnull=False)
    last = 0
    while batch := list(counted.filter(pk__gt=last).order_by("pk").values_list("pk", "kind", "output")[:BATCH]):
        for last, kind, output in batch:
            steps.filter(pk=last).update(counts=counts(kind, output))
    check_now(schema_editor)


def fill_keys(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Backwards. Steps of replaced outlines are numbered again, as their keys have to be unique."""
    steps: Any = apps.get_model("articles", "Step").objects.using(schema_editor.connection.alias).order_by()
    names = ("stage", "kind", "section", "attempt")
    for values in list(steps.values_list(*names).distinct()):
        steps.filter(**dict(zip(names, values, strict=True))).update(key=key(*values))
    replaced: dict[tuple[int, str], int] = {}
    for step in steps.filter(status="superseded").order_by("pk").only("run_id", "key").iterator(BATCH):
        number = replaced[step.run_id, step.key] = replaced.get((step.run_id, step.key), 0) + 1
        steps.filter(pk=step.pk).update(key=f"{step.key}#{number}")
    check_now(schema_editor)


def classify_failures(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    runs: Any = apps.get_model("articles", "Run").objects.using(schema_editor.connection.alias).order_by()
    explained = runs.filter(Q(status="failed") | ~Q(reason=""))
    for status, reason in list(explained.values_list("status", "reason").distinct()):
        other = "internal_error" if status == "failed" else ""
        code = next((code for pattern, code in FAILURES.items() if re.search(pattern, reason)), other)
        explained.filter(status=status, reason=reason).update(failure_code=code)


class Migration(migrations.Migration):
    dependencies = [("articles", "0005_spending_limit")]

    operations = [
        migrations.AddField(
            "step", "stage", models.CharField(default="", max_length=20), preserve_default=False
        ),
        migrations.AddField("step", "kind", models.CharField(default="", max_length=20), preserve_default=False),
        migrations.AddField(
            "step",
            "section",
            models.PositiveSmallIntegerField(
                default=0, help_text="From 1; 0 is the whole article. The number of the question for “find”."
            ),
        ),
        migrations.AddField("step", "attempt", models.PositiveSmallIntegerField(default=1)),
        migrations.AddField("step", "counts", models.JSONField(blank=True, default=dict)),
        migrations.RemoveConstraint("step", "step_once"),
        migrations.RunPython(fill_columns, fill_keys),
        migrations.RunPython(fill_counts, migrations.RunPython.noop),
        migrations.AddConstraint(
            "step",
            models.UniqueConstraint(
                condition=~Q(status="superseded"),
                fields=("run", "stage", "kind", "section", "attempt"),
                name="step_once",
            ),
        ),
        # With a default, so that the migration can be reversed.
        migrations.AlterField("step", "key", models.CharField(default="", max_length=60)),
        migrations.RemoveField("step", "key"),
        migrations.RemoveConstraint("run", "run_failed_says_why"),
        migrations.AddField(
            "run", "failure_code", models.CharField(blank=True, help_text="The same for programs.", max_length=40)
        ),
        migrations.RunPython(classify_failures, migrations.RunPython.noop),
        migrations.AddConstraint(
            "run",
            models.CheckConstraint(
                condition=~Q(status="failed") | (~Q(reason="") & ~Q(failure_code="")), name="run_failed_says_why"
            ),
        ),
        migrations.AlterField("run", "attempts", models.PositiveSmallIntegerField(default=0, help_text="How often a worker claimed it.")),
        migrations.AlterField("run", "awaits", models.CharField(blank=True, help_text="The model whose provider is unavailable.", max_length=200)),
        migrations.AlterField("run", "not_before", models.DateTimeField(blank=True, help_text="No worker claims it earlier.", null=True)),
        migrations.AlterField("run", "parkings", models.PositiveSmallIntegerField(default=0, help_text="How often it asked that model without success.")),
        migrations.AlterField("run", "reason", models.TextField(blank=True, help_text="Why it failed, was paused or waits, for a person who can act on it.")),
        migrations.AlterField("step", "cost", models.DecimalField(decimal_places=6, default=0, help_text="US dollars, by the price table of its day.", max_digits=12)),
        migrations.AlterField("step", "unpriced_calls", models.PositiveIntegerField(default=0, help_text="Calls of models without a price.")),
    ]
