"""The findings of a run, numbered as its plan names them."""

from __future__ import annotations

from collections.abc import Iterable

from agents.contract import Finding, QuestionFindings
from articles.models import Run


def numbered_findings(groups: Iterable[QuestionFindings]) -> list[Finding]:
    """The findings of all groups, in order, numbered from 1."""
    together = [finding for group in groups for finding in group.findings]
    return [finding.model_copy(update={"number": number}) for number, finding in enumerate(together, 1)]


def findings_of(run: Run) -> list[Finding]:
    """The findings of the groups that are done; empty fields in those of older versions."""
    steps = run.steps.done().filter(stage="research", kind="find").order_by("section")
    return numbered_findings(
        QuestionFindings.model_validate(output) for output in steps.values_list("output", flat=True)
    )
