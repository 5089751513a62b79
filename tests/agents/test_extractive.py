"""The built-in writer quotes what was read, cites it, and never says a thing twice."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from agents.contract import Outline, OutlineSection, Reading
from agents.exceptions import ManuscriptIncomplete, NothingToRead
from agents.text.citations import cited_ids, compile_references
from agents.text.evidence import cited_sentences, compare_with_passages
from tests.agents.extractive_texts import (
    BEES,
    BREAD,
    CHINESE,
    GERMAN,
    ROOFS,
    VIETNAMESE,
    brief,
    carried,
    cut,
    outline_for,
    sentences_of,
    split,
    word_count,
    written,
)


@pytest.mark.parametrize(
    ("language", "topic", "texts"),
    [
        ("en", "How rooftop gardens cool cities", [ROOFS]),
        ("en", "Gardens and bees in the city", [ROOFS, BEES]),
        ("de", "Dachgärten in der Stadt", [GERMAN]),
        ("vi", "Vườn trên mái nhà", [VIETNAMESE]),
        ("zh", "屋顶上的花园", [CHINESE]),
    ],
)
def test_every_sentence_is_from_a_source_and_used_only_once(language: str, topic: str, texts: list[str]) -> None:
    passages = cut(*texts)
    asked = brief(topic, language=language)
    outline = outline_for(asked, passages, 4)
    sections = written(asked, outline, passages)
    sentences = sentences_of(sections, language)
    assert len(sentences) == len(set(sentences)) > 1
    real = {sentence for text in texts for sentence in split(text)}
    assert set(sentences) <= real


def test_one_mark_ends_each_run_of_sentences_from_a_passage() -> None:
    passages = cut(ROOFS, BEES)
    asked = brief()
    by_id = {passage.id: passage.text for passage in passages}
    for text in written(asked, outline_for(asked, passages, 4), passages):
        for paragraph in text.split("\n\n"):
            assert len(cited_ids(paragraph)) == 1
            assert paragraph.endswith(f"[{cited_ids(paragraph)[0]}]")
        cited = cited_sentences(text)
        assert [sentence.plain for sentence in cited] == sentences_of([text])
        assert all(sentence.plain in by_id[id].replace("\n", " ") for sentence in cited for id in sentence.passages)
        assert len(cited) > len(cited_ids(text))


def test_the_article_is_as_long_as_was_asked_where_the_sources_carry_it() -> None:
    passages = cut(ROOFS, BEES, BREAD)
    for words, sections in ((300, 3), (1000, 5), (1400, 9)):
        asked = brief(min_words=words)
        assert carried(passages) >= words
        length = word_count(written(asked, outline_for(asked, passages, sections), passages))
        assert words <= length < words + 40  # one sentence more


def test_it_is_as_long_as_the_sources_carry_and_never_padded() -> None:
    passages = cut(ROOFS)
    asked = brief(min_words=5000)
    sections = written(asked, outline_for(asked, passages, 8), passages)
    assert word_count(sections) == carried(passages) < 700


def test_sections_share_sources_that_carry_less_than_was_asked() -> None:
    passages = cut(ROOFS, BEES, BREAD)
    asked = brief(min_words=5000)
    lengths = [word_count([text]) for text in written(asked, outline_for(asked, passages, 8), passages)]
    assert sum(lengths) == carried(passages)
    assert min(lengths) > 0.5 * sum(lengths) / 8


def test_the_same_question_has_the_same_answer() -> None:
    passages = cut(ROOFS, BREAD)
    asked = brief()
    first = outline_for(asked, passages, 4)
    assert first == outline_for(asked, list(passages), 4)
    assert written(asked, first, passages) == written(asked, first, passages)


def test_headings_are_the_sources_own_and_distinct() -> None:
    outline = outline_for(brief(min_words=900), cut(ROOFS, BEES), 6)
    headings = [section.heading for section in outline.sections]
    own = re.findall(r"^## (.*)$", ROOFS + "\n" + BEES, re.MULTILINE)
    assert set(headings) <= set(own)
    assert len(set(headings)) == len(headings) == 6


def test_without_headings_sections_are_named_by_a_short_sentence() -> None:
    plain = re.sub(r"^## .*\n+", "", BREAD, flags=re.MULTILINE)
    outline = outline_for(brief("Baking at home", min_words=700), cut(plain), 4)
    headings = [section.heading for section in outline.sections]
    assert len(set(headings)) == 4
    assert all(heading in BREAD.replace("\n", " ") and len(heading) <= 80 for heading in headings)


def test_the_first_section_introduces() -> None:
    passages = cut(ROOFS, BEES, BREAD)
    for topic, first in (("Honey bees", "A honey bee cannot live"), ("Sourdough", "Sourdough is bread raised")):
        asked = brief(topic, min_words=1500)
        outline = outline_for(asked, passages, 8)
        assert written(asked, outline, passages)[0].startswith(first)


def test_a_short_source_still_makes_two_sections() -> None:
    passages = cut("Bees live in large colonies together. They collect nectar from many flowers.")
    asked = brief("Bees in the garden", min_words=300)
    outline = outline_for(asked, passages, 6)
    assert [section.sources for section in outline.sections] == [["S1"], ["S1"]]
    assert written(asked, outline, passages) == [
        "Bees live in large colonies together. [S1]",
        "They collect nectar from many flowers. [S1]",
    ]


@pytest.mark.parametrize("text", ["", "Menu\nHome\nContact", "There is only one single sentence in here."])
def test_sources_without_two_sentences_are_refused_with_advice(text: str) -> None:
    with pytest.raises(NothingToRead, match="Add a source with running text, or configure a model"):
        outline_for(brief(), cut(text) if text else [], 4)


def test_what_two_sources_say_alike_is_said_once() -> None:
    copy = ROOFS.replace("such as pumice or crushed brick", "such as pumice or broken brick")
    assert carried(cut(ROOFS, copy)) == carried(cut(ROOFS))


def test_sentences_that_differ_in_a_number_are_both_said() -> None:
    texts = [f"The garden on the roof of the town hall held {litres} litres of rain." for litres in (300, 450, 450)]
    assert carried(cut(*texts, words=1)) == 2 * len(texts[0].split())


def test_a_source_cannot_smuggle_in_markdown_or_marks() -> None:
    hostile = (
        "The <script>alert(1)</script> garden grows very well here. The bees [S7] like the flowers on the roof. "
        "It is a *very* nice `place` for all [link](javascript:alert(1)) people.\n\n"
        "1986. The year was good for all of the roofs. See [^1] and ^[this note] in the garden of the town. "
        "# A hash begins nothing when the sentence is quoted."
    )
    passages = cut(hostile)
    asked = brief("Gardens of the town")
    sections = written(asked, outline_for(asked, passages, 2), passages)
    assert set(cited_ids("\n".join(sections))) == {"S1"}
    text, references = compile_references("\n\n".join(sections), Reading(passages=passages))
    assert references == []
    assert not re.search(r"(?<!\\)[<\[`*]", text)


def test_an_outline_a_person_changed_is_followed() -> None:
    passages = cut(ROOFS)
    asked = brief(min_words=900)
    outline = outline_for(asked, passages, 3)
    added = OutlineSection(heading="Water after a storm", purpose="What rain on a bare roof does to the sewers")
    renamed = [section.model_copy(update={"heading": f"My {place}"}) for place, section in enumerate(outline.sections)]
    changed = Outline(title="My own title", sections=[added, *reversed(renamed)])
    sections = written(asked, changed, passages)
    assert set(cited_ids(sections[0])) == {"S3"}
    assert word_count(sections) == carried(passages)
    sentences = sentences_of(sections)
    assert len(sentences) == len(set(sentences))


def test_a_section_whose_passage_others_used_up_takes_one_nobody_claimed() -> None:
    passages = cut(
        "Bees live in large colonies together. They collect nectar from many flowers.",
        "The queen lays all the eggs of the hive. Workers feed her and keep her clean.",
    )
    sections = [OutlineSection(heading=heading, sources=["S1"]) for heading in ("Bees", "Nectar", "The queen")]
    texts = written(brief(min_words=300), Outline(title="Bees and more", sections=sections), passages)
    assert [set(cited_ids(text)) for text in texts] == [{"S1"}, {"S1"}, {"S2"}]


def test_a_section_without_sentences_left_is_an_error() -> None:
    passages = cut("Bees live in large colonies together. They collect nectar from many flowers.")
    sections = [OutlineSection(heading="Bees") for _ in range(3)]
    with pytest.raises(ManuscriptIncomplete, match="no sentence for the section “Bees”"):
        written(brief(min_words=300), Outline(title="Bees and more", sections=sections), passages)


def test_every_sentence_is_found_supported_by_code_alone() -> None:
    passages = cut(ROOFS, BEES, BREAD)
    asked = brief(min_words=1400)
    by_id = {passage.id: passage for passage in passages}
    cited = [
        sentence
        for text in written(asked, outline_for(asked, passages, 7), passages)
        for sentence in cited_sentences(text)
    ]
    assert len(cited) > 50
    assert {compare_with_passages(sentence, by_id) for sentence in cited} == {("supported", "")}


def test_many_passages_are_divided_evenly() -> None:
    many = cut(*[f"Garden number {n} lies on the roof of house {chr(65 + n)}elia in town." for n in range(26)], words=1)
    asked = brief(min_words=5000)
    lengths = [word_count([text]) for text in written(asked, outline_for(asked, many, 2), many)]
    assert sum(lengths) == carried(many)
    assert max(lengths) <= 0.85 * sum(lengths)


def test_importing_the_writer_loads_nothing_heavy() -> None:
    heavy = {"numpy", "bm25s", "crewai", "openai"}
    code = f"import sys, agents.extractive, agents.samples, agents.text.citations; print(sorted({heavy} & set(sys.modules)))"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert answer.stdout.strip() == "[]"
