"""The built-in writer finds facts and plans sections that own them."""

from __future__ import annotations

import pytest

from agents import extractive
from agents.contract import Finding, Lead, Outline, OutlineSection
from agents.extractive.material import gather
from agents.pipeline.outline import as_plan
from agents.text.prompt_fields import finding_line
from tests.agents.extractive_texts import (
    BEES,
    BREAD,
    ROOFS,
    brief,
    cut,
    found_in,
    outline_for,
    sentences_of,
    split,
    written,
)


def test_findings_are_quoted_from_every_source_the_best_of_each_first() -> None:
    passages = cut(ROOFS, BEES, BREAD)
    by_id = {passage.id: passage for passage in passages}
    found = extractive.find(brief(), passages, 6).findings
    assert len(found) == len({fact.statement for fact in found}) == 6
    assert all(fact.statement in by_id[fact.sources[0]].text.replace("\n", " ") for fact in found)
    assert sorted(by_id[fact.sources[0]].source for fact in found[:3]) == [1, 2, 3]


def test_a_finding_has_a_kind_and_the_year_of_its_sentence() -> None:
    passages = cut(
        "The city counted 45 gardens on roofs in 2019. Gardens on roofs are loved by those who live below. "
        "In 1987 the council allowed gardens on every roof. About 2000 roofs of the city carry gardens today."
    )
    found = extractive.find(brief(), passages, 4).findings
    kinds = {fact.statement.split()[0]: (fact.kind, fact.date) for fact in found}
    assert kinds == {
        "The": ("figure", "2019"),
        "Gardens": ("claim", ""),
        "In": ("claim", "1987"),
        "About": ("figure", ""),
    }


def test_passages_without_a_sentence_have_no_findings() -> None:
    assert extractive.find(brief(), cut("Menu\nHome\nContact"), 5).findings == []


@pytest.mark.parametrize("sections", [2, 5, 9])
def test_a_plan_adds_up_and_owns_or_dismisses_each_finding_once(sections: int) -> None:
    passages = cut(ROOFS, BEES, BREAD)
    asked = brief(min_words=800)
    findings = found_in(asked, passages, 12)
    copied = Finding(number=13, statement="A claim that nobody quotes.", sources=["S1"])
    made = extractive.plan(asked, [*findings, copied], passages, sections)
    plan = as_plan(made, made.title, made.sections)
    assert len(plan.sections) == sections
    assert sum(section.words for section in plan.sections) == 800
    owned = [number for section in plan.sections for number in section.findings]
    dismissed = [each.finding for each in plan.dismissed]
    assert sorted(owned + dismissed) == list(range(1, 14))
    assert 13 in dismissed
    assert len(owned) >= 10


def test_sections_quote_the_findings_in_their_points_first() -> None:
    passages = cut(ROOFS, BEES, BREAD)
    asked = brief(min_words=300)
    last = gather(asked, passages).quotes[-1]
    points = [finding_line(Finding(statement=last.text, sources=[last.passage]))]
    bare = [OutlineSection(heading=heading, words=100) for heading in ("Roofs", "Bees")]
    section = OutlineSection(heading="Bread", sources=["S10", last.passage], words=100, points=points)
    outline = Outline(title="Roofs and bread", sections=[*bare, section])
    assert last.text in sentences_of(written(asked, outline, passages)[2:])
    without = outline.model_copy(update={"sections": [*bare, section.model_copy(update={"points": []})]})
    assert last.text not in sentences_of(written(asked, without, passages))


def test_the_answer_quotes_two_findings_and_not_the_opening_of_the_article() -> None:
    passages = cut(ROOFS, BEES, BREAD)
    asked = brief(min_words=800)
    outline = outline_for(asked, passages, 5)
    texts = written(asked, outline, passages)
    statements = {finding.statement for finding in found_in(asked, passages)}
    sentences = split(outline.answer)
    assert len(sentences) == 2
    assert set(sentences) <= statements
    assert not set(sentences) & set(sentences_of(texts[:1])[:2])


def test_it_keeps_the_title_and_writes_no_lead() -> None:
    outline = outline_for(brief(), cut(ROOFS), 3)
    assert outline.answer
    assert extractive.lead(brief(), outline, []) == Lead(title=outline.title, lead="")


def test_a_plan_without_findings_is_made_of_the_passages() -> None:
    passages = cut(ROOFS, BEES)
    plan = extractive.plan(brief(), [], passages, 4)
    assert plan.answer == ""
    assert len(plan.sections) == 4


def test_questions_are_the_topic_alone_and_with_keywords() -> None:
    asked = brief("Rooftop  gardens", keywords=["soil", "rooftop", "water", "a", "b", "c", "d", "e"])
    questions = extractive.plan_questions(asked).questions
    assert questions[:3] == ["Rooftop gardens", "Rooftop gardens soil", "Rooftop gardens water"]
    assert len(questions) <= 6


def test_every_source_has_its_best_finding_in_the_article() -> None:
    passages = cut(BREAD, ROOFS, BEES)
    asked = brief(min_words=400)
    findings = found_in(asked, passages)
    source_of = {passage.id: passage.source for passage in passages}
    quoted = sentences_of(written(asked, outline_for(asked, passages, 2), passages))
    assert {source_of[finding.sources[0]] for finding in findings[:3]} == {1, 2, 3}
    assert all(finding.statement in quoted for finding in findings[:3])


def test_a_question_is_no_finding() -> None:
    passages = cut("Who waters the gardens on the roof? The gardens on the roof are watered by the neighbours.")
    found = [fact.statement for fact in extractive.find(brief("Gardens on the roof"), passages, 5).findings]
    assert found == ["The gardens on the roof are watered by the neighbours."]
