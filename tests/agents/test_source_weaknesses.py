"""What the reviewer is told about cited sources that readers should not believe without knowing more."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from agents.contract import Source
from agents.crew.crew import StudioCrew
from agents.pipeline.edit import measurements
from agents.text.source_weaknesses import weaknesses
from tests.agents.recipes import make_context, reading

TODAY = date(2026, 11, 30)
READ = datetime(2026, 11, 22, tzinfo=UTC)
PLAIN = Source(number=1, title="Roofs", url="https://example.org", date="2025-03", read_at=READ, sha256="0")


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({}, []),
        ({"kind": "study"}, []),
        ({"kind": "vendor"}, ["it sells"]),
        ({"kind": "advocacy", "date": "2012-05-01"}, ["it campaigns", "it is from 2012"]),
        ({"date": "2021"}, ["it is from 2021"]),
        ({"date": "2022"}, []),
        ({"date": ""}, []),
    ],
)
def test_interest_and_age_are_weaknesses(fields: dict[str, str], found: list[str]) -> None:
    assert weaknesses(PLAIN.model_copy(update=fields), TODAY) == found


def test_the_reviewer_is_asked_about_those_that_are_cited(crew: StudioCrew) -> None:
    read = reading()
    read.sources = [
        PLAIN.model_copy(update={"kind": "vendor"}),
        PLAIN.model_copy(update={"number": 2, "kind": "vendor"}),
    ]
    context = make_context(crew, read)
    texts = ["Nothing.", "Roofs hold rain [S1]."]
    assert [each for each in measurements(context, texts) if each.startswith("Source ")] == [
        "Source 1, Roofs, is cited first in section 2: it sells. Do readers learn it there, in a few words?"
    ]
