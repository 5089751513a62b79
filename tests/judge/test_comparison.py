"""The folder of a comparison: its brief, its sources, and the prompt for another system."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bench.judge.__main__ import main
from bench.judge.comparison import Comparison, JudgeError


def test_a_comparison_has_its_sources_in_the_order_of_their_files(folder: Path) -> None:
    comparison = Comparison.read(folder)
    assert [source.head.title for source in comparison.sources] == [
        "A trial of planted roofs",
        "Green roofs pay for themselves",
    ]
    assert comparison.sources[0].head.date == "2024-05-31"
    assert comparison.sources[1].head.date == "2019"
    assert comparison.sources[1].text.startswith("A planted roof pays")


@pytest.mark.parametrize(
    ("file", "text", "problem"),
    [
        ("brief.yaml", "words: 900", "brief.yaml: topic: Field required"),
        ("brief.yaml", "topic: Flat roofs\nlenght: 900", "brief.yaml: lenght: Extra inputs"),
        (
            "brief.yaml",
            "topic: Flat roofs\nwords: 90",
            "brief.yaml: words: Input should be greater than or equal to 300",
        ),
        ("brief.yaml", "topic: [", "brief.yaml: invalid YAML"),
        ("03.md", "No head at all.", "03.md: no head"),
        ("03.md", "---\nurl: https://example.org\n---\nText", "03.md: title: Field required"),
        ("03.md", "---\ntitle: Empty\n---\n\n", "03.md: no text below the head"),
    ],
)
def test_an_invalid_file_is_named_with_its_problem(
    folder: Path, capsys: pytest.CaptureFixture[str], file: str, text: str, problem: str
) -> None:
    (folder / file).write_text(text)
    assert main(["prepare", str(folder)]) == 1
    assert problem in capsys.readouterr().err


def test_a_folder_without_sources_or_brief_is_refused(folder: Path, tmp_path: Path) -> None:
    for path in folder.glob("0*"):
        path.unlink()
    with pytest.raises(JudgeError, match="has no sources"):
        Comparison.read(folder)
    with pytest.raises(JudgeError, match=r"brief\.yaml does not exist"):
        Comparison.read(tmp_path)
    with pytest.raises(JudgeError, match="is not a folder"):
        Comparison.read(tmp_path / "missing")


def test_the_rival_prompt_has_the_whole_brief_and_all_sources(folder: Path) -> None:
    assert main(["prepare", str(folder)]) == 0
    prompt = (folder / "output" / "rival_prompt.md").read_text()
    for part in ("Should a city plant", "city planners", "300 words", '"en"', "Say what it costs", "professional"):
        assert part in prompt
    for part in ("https://example.org/trial", "Institute for Roofs", "2024-05-31", "vendor", "11 °C cooler", "4 years"):
        assert part in prompt
    assert re.search(r"Today is \d{4}-\d\d-\d\d", prompt)
    assert "$" not in prompt
