"""What code makes sure of in a plan: its words add up, and every finding has a place or a reason to have none."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import pytest

from agents.contract import Finding, Plan
from agents.text.length import most_findings
from agents.text.planned_outline import planned_outline, with_room_for_advice
from agents.text.planning import MIN_SECTION_WORDS, NO_ROOM, assign_findings, distribute_words
from agents.text.prompt_fields import finding_line
from tests.agents.recipes import older_plan_of, plan_of

FINDINGS = [
    Finding(number=1, statement="A planted roof holds 60 % of a summer's rain.", sources=["S1"]),
    Finding(number=2, statement="A saturated bed weighs 180 kg.", sources=["S2", "S3"]),
    Finding(number=3, statement="An engineer has to look at the beams.", sources=["S2"]),
    Finding(number=4, statement="Nobody measured the noise.", kind="open"),
]


def plan(
    *findings: list[int],
    dismissed: Mapping[int, str] = MappingProxyType({}),
    headings: tuple[str, ...] = ("Rain", "Weight of beds"),
) -> Plan:
    return Plan.model_validate(older_plan_of(*headings, findings=findings, dismissed=dismissed))


class TestFindings:
    def test_each_belongs_to_the_first_section_that_names_it(self) -> None:
        owned, dismissed = assign_findings(plan([1, 2, 99], [2, 3, 3, 4]), FINDINGS)
        assert (owned, dismissed) == ([[1, 2], [3, 4]], [])

    def test_one_that_was_forgotten_goes_to_the_section_it_shares_most_words_with(self) -> None:
        owned, _ = assign_findings(plan([1], [3, 4]), FINDINGS)
        assert owned == [[1], [2, 3, 4]]

    def test_those_without_room_are_dismissed(self) -> None:
        owned, dismissed = assign_findings(plan([1], [3]), FINDINGS, most=3)
        assert (sum(map(len, owned)), [(each.finding, each.reason) for each in dismissed]) == (3, [(4, NO_ROOM)])
        owned, dismissed = assign_findings(plan([1, 2], [3, 4]), FINDINGS, most=3)
        assert (owned, dismissed) == ([[1, 2], [3, 4]], []), "the plan knows best"

    def test_an_outline_has_as_many_forgotten_ones_as_it_has_room_for(self) -> None:
        many = [Finding(number=number, statement=f"Roof {number} holds rain.") for number in range(1, 31)]
        outline = planned_outline(plan([1], [2]), many, 600, to_approve=False)
        assert sum(len(section.findings) for section in outline.sections) == most_findings(600) == 13
        assert {each.reason for each in outline.dismissed} == {NO_ROOM}

    def test_one_may_be_dismissed_with_a_reason(self) -> None:
        owned, dismissed = assign_findings(plan([1], [2, 3], dismissed={4: "Beside the point"}), FINDINGS)
        assert owned == [[1], [2, 3]]
        assert [(each.finding, each.reason) for each in dismissed] == [(4, "Beside the point")]

    def test_one_that_a_section_owns_is_not_dismissed_as_well(self) -> None:
        owned, dismissed = assign_findings(plan([1], [2, 3, 4], dismissed={4: "Old", 99: "Unknown"}), FINDINGS)
        assert (owned, dismissed) == ([[1], [2, 3, 4]], [])

    def test_dismissing_most_of_them_is_not_believed(self) -> None:
        everything = dict.fromkeys(range(1, 5), "No room")
        owned, dismissed = assign_findings(plan([], [], dismissed=everything), FINDINGS)
        assert [each.finding for each in dismissed] == [1, 2]
        assert sorted(number for numbers in owned for number in numbers) == [3, 4]

    @pytest.mark.parametrize("findings", [([], []), ([1, 1, 2], [2]), ([4, 3], [1]), ([99], [98])])
    def test_each_has_exactly_one_place(self, findings: tuple[list[int], list[int]]) -> None:
        owned, dismissed = assign_findings(plan(*findings), FINDINGS)
        assert sorted([n for numbers in owned for n in numbers] + [each.finding for each in dismissed]) == [1, 2, 3, 4]


class TestWords:
    @pytest.mark.parametrize(
        "weights", [[200, 200, 200], [1, 1, 1], [0, 0, 0], [-5, 100, 100], [100_000, 1, 1], [150, 250, 333]]
    )
    @pytest.mark.parametrize("total", [300, 1000, 1001])
    def test_they_add_up_and_no_section_is_left_without(self, weights: list[int], total: int) -> None:
        words = distribute_words(weights, total)
        assert sum(words) == total
        assert min(words) >= min(MIN_SECTION_WORDS, total // 3)

    @pytest.mark.parametrize(
        ("weights", "expected"),
        [([100, 100, 100], [100, 100, 160]), ([100, 100, 250], [100, 100, 250]), ([0, 0], [0, 0])],
    )
    def test_the_advice_at_the_end_has_room(self, weights: list[int], expected: list[int]) -> None:
        assert with_room_for_advice(weights) == expected

    def test_they_follow_the_weights(self) -> None:
        assert distribute_words([100, 200, 300], 600) == sorted(distribute_words([100, 200, 300], 600))
        assert len(set(distribute_words([100, 200, 300], 600))) == 3

    def test_a_weight_far_from_the_others_is_taken_for_a_mistake(self) -> None:
        mistaken = distribute_words([100, 100, 100, 100_000], 1000)
        assert max(mistaken) < 0.8 * 1000


class TestOutline:
    def test_a_section_has_the_points_and_passages_of_its_findings(self) -> None:
        outline = planned_outline(plan([1], [2, 3], dismissed={4: "Open"}), FINDINGS, 500, to_approve=False)
        first, second = outline.sections
        assert first.points == ["A planted roof holds 60 % of a summer's rain. [S1]"]
        assert second.sources == ["S2", "S3"]
        assert second.findings == [2, 3]
        assert first.words + second.words == 500
        assert [each.finding for each in outline.dismissed] == [4]

    def test_without_findings_of_its_own_it_proposes_some_to_a_person_alone(self) -> None:
        """Else the findings of a section are those that it cites in the end."""
        made = Plan.model_validate_json(plan_of("Rain", "Weight of beds"))
        written = planned_outline(made, FINDINGS, 500, to_approve=False)
        assert [(each.points, each.findings, each.sources) for each in written.sections] == [([], [], [])] * 2
        assert written.dismissed == []
        approved = planned_outline(made, FINDINGS, 500, to_approve=True)
        assert [each.findings for each in approved.sections] == [[1, 3], [2, 4]]
        assert approved.sections[0].points == [finding_line(FINDINGS[0]), finding_line(FINDINGS[2])]

    def test_texts_are_cleaned(self) -> None:
        made = Plan.model_validate_json(
            plan_of("1. **Rain** stays.", "## Weight", title="What roofs do.", answer="One\nline.  Two.")
        )
        outline = planned_outline(made, [], 300, to_approve=False)
        assert [section.heading for section in outline.sections] == ["Rain stays", "Weight"]
        assert (outline.title, outline.answer) == ("What roofs do", "One line. Two.")
