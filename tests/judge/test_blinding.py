"""Articles are brought into one form, and the judge's folder does not say who wrote what."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from bench.judge.__main__ import main
from bench.judge.blind_folder import words_of
from bench.judge.comparison import JudgeError
from tests.judge.articles import NUMBERED, SINGLE, STUDIO, blinded

LIST = """1. A trial of planted roofs — Institute for Roofs, A. Gardener, 2024-05-31, https://example.org/trial (sources/01.md)
2. Green roofs pay for themselves — Roof Traders, 2019, https://roofs.example.com/brochure/ (sources/02.md)
"""


def test_footnotes_become_numbers_before_the_punctuation(folder: Path) -> None:
    text = blinded(folder, STUDIO)
    assert "It is 11 °C cooler [1]. It pays for itself, the traders say [2][1].\n" in text
    assert "| planted | 11 °C [1] |" in text
    assert text.startswith("# What a planted roof is worth\n")
    assert text.endswith(f"\n\n## References\n\n{LIST}")
    assert "Studio" not in text


def test_links_become_numbers_and_keep_the_words_of_the_sentence(folder: Path) -> None:
    text = blinded(folder, SINGLE)
    assert "The Institute for Roofs [1] measured 11 °C [1][2].\n" in text
    assert "Others are not in the sources [3].\n" in text
    assert "Do it [1]." in text
    assert "some-model" not in text
    assert "cover" not in text
    assert f"## References\n\n{LIST}3. not in the sources https://other.example.net/page\n" in text
    assert text.count("## References") == 1


def test_a_figure_that_is_a_link_keeps_its_words(folder: Path) -> None:
    text = blinded(
        folder, "# Roofs\n\n| People | [165](https://example.org/trial) | [1](https://example.org/trial) |\n"
    )
    assert "| People | 165 [1] | [1] |" in text


def test_numbers_of_a_reference_list_are_kept_and_others_are_text(folder: Path) -> None:
    text = blinded(folder, NUMBERED, "de-AT")
    assert "It is cooler [1][2]. See 2024 [3] and list[0]." in text
    assert text.endswith(f"## Quellen\n\n{LIST}")
    assert "Sources:" not in text


def test_abbreviations_and_quotations_keep_their_full_stop(folder: Path) -> None:
    text = blinded(
        folder,
        "| Gardener et al. [trial](https://example.org/trial) |\n\nHe said: “Cool.”[^1] A. B. measured it,[^1] twice.[^1]\n\n"
        "## Sources and further reading\n\n- A trial of planted roofs\n\n[^1]: A trial of planted roofs\n",
    )
    assert "| Gardener et al. trial [1] |" in text
    assert "He said: “Cool.” [1] A. B. measured it [1], twice [1]." in text
    assert "further reading" not in text


def test_the_name_of_a_system_in_the_text_is_refused(folder: Path) -> None:
    with pytest.raises(JudgeError, match="names a system"):
        blinded(folder, "# Roofs\n\nThis article by GPT Researcher is about roofs.\n")


def test_a_judge_gets_both_orders_and_nothing_that_says_who_wrote_what(written: Path, tmp_path: Path) -> None:
    judge = tmp_path / "for-a-judge"
    assert main(["blind", "--pair", "studio", "single", "--out", str(judge), "--seed", "5", str(written)]) == 0
    key = yaml.safe_load((written / "keys" / "01.yaml").read_text())
    assert sorted(key["articles"]["1"].values()) == ["single", "studio"]
    assert key["articles"]["2"] == {"A": key["articles"]["1"]["B"], "B": key["articles"]["1"]["A"]}
    for letter, other in ("AB", "BA"):
        first, second = judge / "1" / f"article-{letter}.md", judge / "2" / f"article-{other}.md"
        assert first.read_text() == second.read_text()
    titles = {"studio": "# What a planted roof is worth", "single": "# Plant them"}
    for letter, name in key["articles"]["1"].items():
        assert (judge / "1" / f"article-{letter}.md").read_text().startswith(titles[name])
    files = sorted(str(path.relative_to(judge)) for path in judge.rglob("*") if path.is_file())
    assert files == [
        "1/article-A.md",
        "1/article-B.md",
        "2/article-A.md",
        "2/article-B.md",
        "instructions.md",
        "sources/01.md",
        "sources/02.md",
    ]
    everything = "\n".join(path.read_text() for path in judge.rglob("*") if path.is_file()) + "\n".join(files)
    assert not re.search(r"studio|single|researcher|some-model|seed", everything, re.IGNORECASE)
    instructions = (judge / "instructions.md").read_text()
    assert "Should a city plant its flat roofs?" in instructions
    assert "$" not in instructions


def test_the_order_depends_on_the_seed(written: Path, tmp_path: Path) -> None:
    for seed in range(12):
        main(
            [
                "blind",
                "--pair",
                "studio",
                "single",
                "--out",
                str(tmp_path / f"judge{seed}"),
                "--seed",
                str(seed),
                str(written),
            ]
        )
    keys = [yaml.safe_load(path.read_text()) for path in (written / "keys").glob("*.yaml")]
    assert {key["articles"]["1"]["A"] for key in keys} == {"studio", "single"}


def test_a_missing_article_and_a_used_folder_are_refused(
    written: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["blind", "--pair", "studio", "gpt_researcher", str(written)]) == 1
    assert "gpt_researcher.md does not exist" in capsys.readouterr().err
    assert main(["blind", "--pair", "studio", "studio", str(written)]) == 1
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "file").write_text("x")
    assert main(["blind", "--pair", "studio", "single", "--out", str(tmp_path / "used"), str(written)]) == 1
    assert "is not empty" in capsys.readouterr().err


def test_the_reference_list_does_not_count_as_length(folder: Path) -> None:
    assert words_of(blinded(folder, NUMBERED)) < 15
