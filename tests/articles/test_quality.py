"""Scores computed without a model, compared with values calculated by hand on a small text."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from agents.contract import SEO, Passage
from articles.models import Article
from articles.quality import ScoredText, score_text
from articles.quality.citations import citation_ratio, exactness, footnote_ratio
from articles.quality.headings import heading_problems
from articles.quality.reading_ease import reading_ease
from articles.quality.repetition import repetition
from articles.services import cancel_run, start_run
from tests.factories import UserFactory, make_article, make_completed_article

TEXT = """Flat roofs are the largest unused surface of a city.[^1] Nobody has asked what they could be.

## What a roof can carry

A saturated bed weighs 95 kg on each square metre.[^2] Ask an engineer before you ask a gardener.

- soil
- Plants that need little water live longest there.[^1][^2]

## Where to begin

The survey calls them “the largest unused surface” of Rotterdam.[^1]

[^1]: “City roofs surveyed”, <https://example.org/roofs> (read 22 November 2026).
[^2]: “Loads of planted beds” (read 22 November 2026).
"""
ROOFS = Passage(
    id="S1", source=1, start=0, end=99, text="Flat roofs are the largest unused surface of a city, 14 km² of it."
)
LOADS = Passage(
    id="S4", source=2, start=0, end=99, text="A bed that is saturated weighs 180 kg a square metre, an engineer said."
)


def scored(content: str = TEXT, **more: Any) -> ScoredText:
    return ScoredText(title="Rooftop gardens", content=content, asked=100, **more)


def sourced(content: str) -> ScoredText:
    return scored(content, passages={"S1": ROOFS, "S4": LOADS}, cites={"1": ["S1"], "2": ["S4"]})


@pytest.mark.parametrize(("words", "score"), [(100, 100), (250, 50), (50, 50), (400, 0), (30, 0), (0, 0)])
def test_the_length_score_follows_longwriter(words: int, score: int) -> None:
    assert score_text(scored("word " * words)).length == score


def test_words_are_counted_without_footnotes() -> None:
    assert score_text(scored("## Two words\n\nThree words here.[^1]\n\n[^1]: Not counted.\n")).words == 5


# Citations


def test_the_share_of_sentences_that_cite_is_counted() -> None:
    found = citation_ratio(scored())
    assert (found.good, found.total) == (4, 6)


def test_headings_labels_code_and_tables_are_not_sentences() -> None:
    text = "## A heading of five words\n\n- one label\n\n```\nno prose at all here\n```\n\n"
    assert citation_ratio(scored(text + "| a table of | four words |\n|---|---|\n")).total == 0


def test_every_footnote_of_a_compiled_text_resolves() -> None:
    found = footnote_ratio(scored())
    assert (found.good, found.total, found.problems) == (5, 5, [])


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("One claims this.[^3]\n", "The footnote [^3] is not defined."),
        ("One claims this.\n\n[^3]: A source.\n", "The footnote [^3] is never referenced."),
        ("This.[^3]\n\n[^3]: A source.\n\n[^3]: Another.\n", "The footnote [^3] is defined 2 times."),
        ("One claims this [S3].\n", "The mark [S3] was left in the text."),
        ("One claims this [0].\n", "Citations without a source, such as [0]: 1."),
    ],
)
def test_an_unresolved_footnote_is_a_problem(text: str, problem: str) -> None:
    found = footnote_ratio(scored(text))
    assert found.problems == [problem]
    assert found.good == 0 or found.total > found.good or "never referenced" in problem


def test_brackets_in_code_are_not_footnotes() -> None:
    assert footnote_ratio(scored("Read `items[0]` and `[^7]` first.\n\n```\nrow[1] = [^2]\n```\n")).total == 0


def test_a_number_missing_from_the_cited_passages_is_a_problem() -> None:
    found = exactness(sourced(TEXT))
    assert (found.good, found.total) == (1, 2)
    assert found.problems == [
        "“95” does not appear in what is cited: A saturated bed weighs 95 kg on each square metre."
    ]


def test_a_quotation_missing_from_the_cited_passages_is_a_problem() -> None:
    text = TEXT.replace("“the largest unused surface”", "“a landscape waiting to be used”")
    assert any("a landscape waiting to be used" in problem for problem in exactness(sourced(text)).problems)


def test_a_number_is_compared_with_its_own_footnote_only() -> None:
    swapped = sourced("A saturated bed weighs 180 kg.[^1]\n\n[^1]: One.\n[^2]: Two.\n")
    assert exactness(swapped).good == 0
    assert exactness(sourced("A saturated bed weighs 180 kg.[^2]\n\n[^1]: One.\n[^2]: Two.\n")).good == 1


def test_without_passages_there_is_no_exactness_score() -> None:
    assert exactness(scored()).share is None


# Repetition, headings, reading


def test_text_repeated_in_two_sections_is_a_problem() -> None:
    found = repetition(["A wet roof is a heavy roof indeed.", "Remember: a wet roof is a heavy roof."])
    assert found.phrases == [("a wet roof is a heavy roof", 2)]
    assert found.share == pytest.approx(4 / 6)


def test_a_phrase_repeated_within_one_section_is_not_counted() -> None:
    assert repetition(["Again we say it now. Again we say it now.", "Something else is said over here."]).share == 0


def test_names_may_be_repeated_in_every_section() -> None:
    assert repetition(["The City of New York plans.", "In the City of New York."]).phrases == []


def test_the_headings_of_a_finished_article_have_no_problems() -> None:
    assert heading_problems(scored(planned=["What a roof can carry", "Where to begin"])) == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("# The title\n\nText.\n", "A heading is of the first level, which is the title's."),
        ("## One\n\nText.\n\n#### Two\n\nText.\n", "A heading of level 4 follows one of level 2."),
        ("## One\n\n## Two\n\nText.\n", "The section “One” is empty."),
        ("## One\n\nText.\n\n## One\n\nText.\n", "The heading “One” is used more than once."),
    ],
)
def test_a_misplaced_heading_is_a_problem(text: str, problem: str) -> None:
    assert heading_problems(scored(text)) == [problem]


def test_an_outline_that_does_not_match_the_text_is_a_problem() -> None:
    assert heading_problems(scored(planned=["What a roof can carry", "Costs"])) == [
        "“Costs” of the outline is not in the text."
    ]
    assert heading_problems(scored(planned=["Where to begin", "What a roof can carry"])) == [
        "The sections are not in the order of the outline."
    ]


def test_reading_ease_follows_flesch() -> None:
    found = reading_ease(["The cat sat on the mat.", "The dog ran."], "en-GB")
    assert found is not None
    # 9 words of one syllable each in 2 sentences: 206.835 − 1.015 × 4.5 − 84.6 × 1
    assert (found.score, found.formula) == (117.7, "Flesch")


@pytest.mark.parametrize(
    ("language", "sentence", "formula"),
    [
        ("de", "Der Hund läuft über die Wiese.", "Amstad"),
        ("es", "El perro corre por el campo.", "Fernández Huerta"),
        ("fr", "Le chien court dans le pré.", "Kandel–Moles"),
        ("it", "Il cane corre nel prato.", "Flesch–Vacca"),
    ],
)
def test_each_language_has_its_own_formula(language: str, sentence: str, formula: str) -> None:
    found = reading_ease([sentence], language)
    assert found is not None
    assert found.formula == formula
    assert 60 < found.score < 130


def test_other_languages_have_no_reading_ease() -> None:
    assert reading_ease(["Con mèo ngồi trên tấm thảm."], "vi") is None


def test_a_search_description_outside_its_limits_is_a_problem() -> None:
    seo = SEO(title="Short", meta_description="Short too.", slug="roof-gardens-now", keywords=["roof"])
    problems = score_text(scored(seo=seo)).seo
    assert problems is not None
    assert len(problems) == 2


@pytest.mark.parametrize("text", ["", "#", "[^1]:", "[^", "```", "| a |", "\x00", "![[S1]](x)", "> - # [^1]\n" * 50])
def test_a_malformed_text_has_scores(text: str) -> None:
    assert score_text(scored(text)).length >= 0


# The command


def quality(*arguments: str) -> str:
    out = StringIO()
    call_command("quality", *arguments, stdout=out)
    return out.getvalue()


@pytest.mark.django_db
def test_only_finished_articles_are_scored() -> None:
    owner = UserFactory.create()
    finished, waiting = make_completed_article(owner), make_article(owner)
    output = json.loads(quality("--all", "--json"))
    assert [one["number"] for one in output] == [finished.pk]
    assert waiting.pk not in [one["number"] for one in output]
    assert output[0]["footnotes"] == {"good": 3, "total": 3, "problems": []}


@pytest.mark.django_db
def test_a_finished_text_is_scored_whatever_became_of_later_runs() -> None:
    article = make_completed_article(UserFactory.create())
    start_run(article=article, by=article.owner)
    cancel_run(article=article, by=article.owner)
    [output] = json.loads(quality("--all", "--json"))
    assert (output["number"], output["words"]) == (article.pk, article.word_count)
    assert json.loads(quality(str(article.pk), "--json")) == [output]


@pytest.mark.django_db
def test_numbers_are_compared_with_the_passages_the_run_read() -> None:
    article = make_completed_article(UserFactory.create())
    reference = {"number": 1, "source": 1, "title": "City roofs surveyed", "passages": ["S1"]}
    content = article.content.replace("**11 °C**", "**19 °C**")
    Article.objects.filter(pk=article.pk).update(content=content, references=[reference])
    [output] = json.loads(quality(str(article.pk), "--json"))
    assert output["exact"]["good"] == 0
    assert "“19” does not appear in what is cited" in output["exact"]["problems"][0]


@pytest.mark.django_db
def test_a_table_ends_with_the_medians() -> None:
    owner = UserFactory.create(username="ada")
    for _ in range(2):
        make_completed_article(owner)
    make_completed_article(UserFactory.create())
    lines = quality("--owner", "ada").splitlines()
    assert lines[3].endswith("the median of 2")
    assert "Rooftop gardens" in lines[1]


@pytest.mark.django_db
def test_without_finished_articles_the_command_says_so() -> None:
    assert "no finished article yet" in quality("--all")


@pytest.mark.django_db
def test_an_unfinished_article_is_refused() -> None:
    waiting = make_article(UserFactory.create())
    with pytest.raises(CommandError, match=f"Not a finished article: {waiting.pk}"):
        quality(str(waiting.pk))


def test_a_file_can_be_scored(tmp_path: Path) -> None:
    (tmp_path / "article.md").write_text(TEXT)
    output = quality("--file", str(tmp_path / "article.md"), "--words", "100")
    assert "article.md" in output
    assert "5/5" in output


def test_a_file_needs_the_requested_length(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="--words"):
        quality("--file", str(tmp_path / "none.md"))


def test_without_arguments_the_error_names_them() -> None:
    with pytest.raises(CommandError, match="--all"):
        quality()


def test_marks_in_brackets_of_any_kind_are_found() -> None:
    found = footnote_ratio(scored("One claims this (S4). Another does [S1, S2, and S3] and {S5}.\n"))
    assert len([problem for problem in found.problems if "was left in the text" in problem]) == 5


def test_headings_tables_and_labels_with_footnotes_are_not_counted() -> None:
    text = "## A heading that cites here[^1]\n\nOne of these sentences does cite.[^1] And another one does not.\n\n- Label[^1]\n"
    found = citation_ratio(scored(text + "\n| a table of | four words[^1] |\n|---|---|\n"))
    assert (found.good, found.total) == (1, 2)
