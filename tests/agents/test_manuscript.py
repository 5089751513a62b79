"""Sections of a manuscript, their passages, what makes it incomplete, its notices."""

from __future__ import annotations

import pytest

from agents.contract import Brief, Outline, OutlineSection, SentenceEvidence
from agents.exceptions import ManuscriptIncomplete
from agents.text.manuscript import (
    assemble,
    check_complete,
    normalized_ids,
    notices,
    repeated_sections,
    requested_words,
)
from agents.text.markdown import count_words
from tests.agents.recipes import outline_of
from tests.factories import make_manuscript

BRIEF = Brief(topic="Rooftop gardens", min_words=300, include_image=False)


def test_headings_of_an_outline_stay_on_one_line() -> None:
    section = OutlineSection(heading="## Two\nlines", purpose="", points=[], sources=[])
    assert assemble(Outline(title="A title", sections=[section, section]), ["a", "b"]).startswith(
        "## Two lines\n\na\n\n## "
    )


def test_marks_are_not_counted_as_words() -> None:
    assert count_words("Roofs hold rain [S1]. Gardens [S2, S3] grow.") == 5


def test_ids_are_taken_as_models_give_them() -> None:
    assert normalized_ids(["S3", "[S1]", "s3", "S2"]) == ["S3", "S1", "S2"]


def test_sections_that_say_the_same_are_found() -> None:
    same = "Roofs hold the rain of a whole summer night, and let it go by the next morning."
    other = "An engineer has to look at the beams before the first sack of soil is carried up."
    assert repeated_sections([same, other, f"{same} [S3]"]) == [(1, 3)]


class TestRequestedWords:
    def test_they_are_the_total_of_the_sections(self) -> None:
        assert requested_words(BRIEF, outline_of("Rain", "Heat", words=90)) == 180

    def test_without_any_they_are_the_briefs(self) -> None:
        assert requested_words(BRIEF, outline_of("Rain", "Heat", words=0)) == 300


class TestJudging:
    def test_what_meets_its_brief_passes(self) -> None:
        long_enough = make_manuscript("Word " * 300)
        check_complete(BRIEF, long_enough, has_model=True)

    def test_the_error_for_a_short_article_gives_both_lengths(self) -> None:
        with pytest.raises(ManuscriptIncomplete, match="wrote 100 of the 300 words"):
            check_complete(BRIEF, make_manuscript("Word " * 100), has_model=True)

    def test_the_built_in_writer_never_pads(self) -> None:
        check_complete(BRIEF, make_manuscript("Word " * 100), has_model=False)
        found = notices(BRIEF, make_manuscript("Word " * 100), has_model=False)
        assert "100 of the 300 words" in found[1]

    def test_a_notice_gives_the_number_of_unsupported_sentences(self) -> None:
        row = SentenceEvidence(section=1, sentence="A.", passages=["S1"], verdict="not", judged_by="model")
        sound = row.model_copy(update={"verdict": "supported"})
        one = make_manuscript("Word " * 300).model_copy(update={"evidence": [row, sound]})
        assert notices(BRIEF, one, has_model=True)[0].startswith("1 sentence is not fully supported")
        two = one.model_copy(update={"evidence": [row, sound, row]})
        assert notices(BRIEF, two, has_model=True)[0].startswith("2 sentences are not fully supported")

    @pytest.mark.parametrize("has_model", [True, False])
    def test_nothing_is_never_complete(self, has_model: bool) -> None:
        with pytest.raises(ManuscriptIncomplete, match="Nothing was written"):
            check_complete(BRIEF, make_manuscript("\n"), has_model=has_model)

    def test_seo_that_was_asked_for_must_be_there(self) -> None:
        bare = make_manuscript("Word " * 300).model_copy(update={"seo": None})
        with pytest.raises(ManuscriptIncomplete, match="search description"):
            check_complete(BRIEF, bare, has_model=True)

    def test_an_image_is_there_or_its_lack_is_explained(self) -> None:
        brief, bare = BRIEF.model_copy(update={"include_image": True}), make_manuscript("Word " * 300)
        with pytest.raises(ManuscriptIncomplete, match="image"):
            check_complete(brief, bare, has_model=True)
        check_complete(brief, bare.model_copy(update={"picture_problem": "The model was away."}), has_model=True)


def test_a_paragraph_that_two_sections_contain_is_found() -> None:
    paragraph = " ".join(f"same{number}" for number in range(60))
    one, other = (" ".join(f"{name}{number}" for number in range(120)) for name in ("first", "second"))
    assert repeated_sections([f"{one}\n\n{paragraph}", other, f"{paragraph}\n\n{other}"])[0] == (1, 3)
