"""Which sections the length controller changes, computed from word counts."""

from __future__ import annotations

import random

import pytest

from agents.pipeline.write import body_words
from agents.text.length import (
    FINAL_BOUNDS,
    TOTAL_BOUNDS,
    LengthCalibration,
    even_shares,
    is_within,
    length_score,
    section_count,
    sections_to_resize,
)


@pytest.mark.parametrize(
    ("words", "sections"), [(300, 2), (600, 3), (1000, 5), (1500, 7), (2000, 8), (3000, 10), (5000, 14)]
)
def test_longer_articles_have_more_sections_and_very_long_ones_longer_sections(words: int, sections: int) -> None:
    assert section_count(words) == sections


@pytest.mark.parametrize(("total", "sections"), [(300, 2), (500, 3), (1000, 5), (1001, 7), (5000, 26)])
def test_budgets_add_up_to_the_requested_length(total: int, sections: int) -> None:
    shares = even_shares(total, sections)
    assert sum(shares) == total
    assert len(shares) == sections
    assert max(shares) - min(shares) <= 1


@pytest.mark.parametrize(
    ("written", "asked", "score"), [(1000, 1000, 100), (1300, 1000, 90), (4000, 1000, 0), (500, 1000, 50), (0, 1000, 0)]
)
def test_the_score_is_the_published_one(written: int, asked: int, score: float) -> None:
    assert length_score(written, asked) == pytest.approx(score)


def test_the_bounds_of_a_finished_article_score_95_and_more() -> None:
    """The bounds are for the sections; lead and headings have about their length."""
    sections = body_words(1000, 4)
    for share in FINAL_BOUNDS:
        assert length_score(1000 - sections + round(sections * share), 1000) >= 95


def test_an_article_within_its_limits_needs_no_changes() -> None:
    assert sections_to_resize([150, 250, 200], [200, 200, 200]) == {}
    assert sections_to_resize([260, 250, 150], [200, 200, 200], (0.94, 1.05)) == {1: 215}
    assert sections_to_resize([120, 150, 250], [200, 200, 200]) == {1: 200}
    assert sections_to_resize([250, 250, 150], [200, 200, 200], (0.9, 1.1)) == {}


def test_the_sections_furthest_off_are_changed_first() -> None:
    assert sections_to_resize([200, 90, 195, 200], [200, 200, 200, 200]) == {2: 205}


def test_an_article_that_is_too_long_is_shortened_in_its_longest_sections() -> None:
    again = sections_to_resize([200, 330, 200, 200], [200, 200, 200, 200])
    assert list(again) == [2]
    assert again[2] < 330


def test_no_section_is_cut_below_its_planned_words() -> None:
    again = sections_to_resize([230, 230, 230, 340], [200, 200, 200, 200], (0.94, 1.05))
    assert again == {4: 200, 1: 200, 2: 200, 3: 220}


def test_no_section_compensates_for_all_the_others() -> None:
    again = sections_to_resize([100, 100, 100, 100], [200, 200, 200, 200])
    assert all(words <= 300 for words in again.values())
    assert len(again) > 1


@pytest.mark.parametrize("seed", range(20))
def test_the_requested_changes_bring_the_article_within_its_limits(seed: int) -> None:
    chance = random.Random(seed)
    wanted = even_shares(1000, 5)
    counts = [round(words * chance.uniform(0.6, 1.4)) for words in wanted]
    again = sections_to_resize(counts, wanted)
    after = [again.get(number, count) for number, count in enumerate(counts, 1)]
    assert is_within(sum(after), 1000, TOTAL_BOUNDS)


def test_more_words_are_requested_from_a_model_that_is_always_short() -> None:
    calibration = LengthCalibration()
    calibration.record(200, 120)
    assert calibration.words_to_request(200) == 200, "one text is not enough"
    for written in (118, 126):
        calibration.record(200, written)
    assert calibration.words_to_request(200) == pytest.approx(333, abs=2)


def test_the_exact_length_is_requested_from_an_inconsistent_model() -> None:
    calibration = LengthCalibration()
    for written in (130, 200, 270):
        calibration.record(200, written)
    assert calibration.words_to_request(200) == 200


def test_the_requested_length_is_limited_for_any_calibration() -> None:
    calibration = LengthCalibration()
    for written in (1, 2, 3):
        calibration.record(200, written)
    assert calibration.words_to_request(200) == round(200 / 0.6)
