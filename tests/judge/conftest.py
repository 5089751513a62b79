"""Fixtures of the tests in this folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from bench.judge.comparison import Comparison
from tests.judge.articles import SINGLE, STUDIO
from tests.model_server import ModelServer

TRIAL = """---
title: A trial of planted roofs
url: https://example.org/trial
publisher: Institute for Roofs
author: A. Gardener
date: 2024-05-31
kind: study
---
Planted roofs were 11 °C cooler in summer than bare ones. The trial had 40 roofs in one city.
"""
BROCHURE = """---
title: Green roofs pay for themselves
url: https://roofs.example.com/brochure/
publisher: Roof Traders
date: 2019
kind: vendor
---
A planted roof pays for itself within 4 years, says the association of roof traders.
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "roofs"
    folder.mkdir()
    brief = {
        "topic": "Should a city plant its flat roofs?",
        "audience": "city planners",
        "words": 300,
        "notes": "Say what it costs.",
    }
    (folder / "brief.yaml").write_text(yaml.safe_dump(brief))
    (folder / "01-trial.md").write_text(TRIAL)
    (folder / "02-brochure.txt").write_text(BROCHURE)
    return folder


@pytest.fixture
def model() -> Iterator[ModelServer]:
    with ModelServer() as server:
        yield server


@pytest.fixture
def written(folder: Path) -> Path:
    output = Comparison.read(folder).output
    (output / "studio.md").write_text(STUDIO)
    (output / "single.md").write_text(SINGLE)
    return folder
