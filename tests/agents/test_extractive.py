"""The built-in writer quotes what was read, cites it, and never says a thing twice."""

from __future__ import annotations

import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from agents import extractive, samples
from agents.contract import Brief, Outline, OutlineSection, Passage, Reading, SectionText
from agents.exceptions import ManuscriptIncomplete, NothingToRead
from agents.extractive import writer
from agents.extractive.material import gather
from agents.extractive.naming import clip, keywords, title_of
from agents.extractive.sentences import split
from agents.extractive.terms import terms
from agents.text.citations import cited_ids, compile_references, strip_unknown_marks
from agents.text.evidence import cited_sentences, compare_with_passages
from agents.text.tokenizer import count_plain_words

ESSAYS = {sample.title: sample.text for sample in samples.closest(" ".join(samples.titles()), limit=9)}
ROOFS, BEES, BREAD = ESSAYS["Rooftop gardens"], ESSAYS["Honey bees and their colony"], ESSAYS["Sourdough bread"]
GERMAN = (
    "Ein Dachgarten ist eine bepflanzte Fläche auf einem Gebäude. Das Dach hält den Regen zurück und kühlt die Räume darunter. "
    "Am 3. Mai wurde z. B. in Köln ein neues Dach bepflanzt. Die Pflanzen auf dem Dach brauchen im ersten Jahr viel Wasser.\n\n"
    "Das Gewicht der Erde muss vor dem Bau geprüft werden. Ein Statiker rechnet aus, was das Gebäude tragen kann. "
    "Feuchte Erde wiegt viel mehr als trockene Erde. Leichte Steine wie Bims verringern das Gewicht der Erde."
)
VIETNAMESE = (
    "Vườn trên mái là một khu vườn nằm trên nóc của tòa nhà. Cây xanh giữ nước mưa và làm mát các căn phòng bên dưới. "
    "Mái nhà cần được kiểm tra trước khi trồng cây. Lớp đất ướt nặng hơn lớp đất khô rất nhiều."
)

CHINESE = (
    "屋顶花园可以让下面的房间凉爽。植物在夏天遮挡屋顶的阳光。\n\n"
    "潮湿的土壤比干燥的土壤重很多。建造之前必须检查屋顶的重量。"
)


def cut(*texts: str, words: int = 110) -> list[Passage]:
    """``texts`` in passages of whole paragraphs, as research cuts them."""
    passages: list[Passage] = []
    for source, text in enumerate(texts, 1):
        start = 0
        for end in [match.start() for match in re.finditer(r"\n\n|\Z", text)]:
            if end == len(text) or len(text[start:end].split()) >= words:
                passages.append(
                    Passage(id=f"S{len(passages) + 1}", source=source, start=start, end=end, text=text[start:end])
                )
                start = end
    return [passage for passage in passages if passage.text.strip()]


def brief(topic: str = "How rooftop gardens cool cities", **more: object) -> Brief:
    return Brief.model_validate({"topic": topic, "min_words": 500, **more})


def written(asked: Brief, outline: Outline, passages: list[Passage]) -> list[str]:
    words = -(-asked.min_words // len(outline.sections))
    return [
        extractive.write_section(asked, outline, index, passages, words).markdown
        for index in range(len(outline.sections))
    ]


def sentences_of(sections: list[str], language: str = "en") -> list[str]:
    return [
        sentence for text in sections for sentence in split(strip_unknown_marks(text, ()).replace("\\", ""), language)
    ]


def carried(passages: list[Passage]) -> int:
    """Words an article made of the passages can have at the most."""
    return gather(passages, "en").words


def word_count(sections: list[str]) -> int:
    return count_plain_words(strip_unknown_marks("\n".join(sections), ()))


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
    outline = extractive.make_outline(asked, passages, 4)
    sections = written(asked, outline, passages)
    sentences = sentences_of(sections, language)
    assert len(sentences) == len(set(sentences)) > 1
    real = {sentence for text in texts for sentence in split(text, language)}
    assert set(sentences) <= real


def test_every_sentence_is_cited_by_the_passage_that_says_it() -> None:
    passages = cut(ROOFS, BEES)
    asked = brief()
    outline = extractive.make_outline(asked, passages, 4)
    by_id = {passage.id: passage.text for passage in passages}
    for text in written(asked, outline, passages):
        quotations = re.findall(r"(.+?) \[(S\d+)\](?:\s|$)", text)
        assert len(quotations) == len(cited_ids(text)) == len(sentences_of([text]))
        for sentence, id in quotations:
            assert sentence.strip() in by_id[id]


def test_the_article_is_as_long_as_was_asked_where_the_sources_carry_it() -> None:
    passages = cut(ROOFS, BEES, BREAD)
    for words, sections in ((300, 3), (1000, 5), (1400, 9)):
        asked = brief(min_words=words)
        assert carried(passages) >= words
        length = word_count(written(asked, extractive.make_outline(asked, passages, sections), passages))
        assert words <= length < words + 30 * sections


def test_it_is_as_long_as_the_sources_carry_and_never_padded() -> None:
    passages = cut(ROOFS)
    asked = brief(min_words=5000)
    sections = written(asked, extractive.make_outline(asked, passages, 8), passages)
    assert word_count(sections) == carried(passages) < 700


def test_the_same_question_has_the_same_answer() -> None:
    passages = cut(ROOFS, BREAD)
    asked = brief()
    first = extractive.make_outline(asked, passages, 4)
    assert first == extractive.make_outline(asked, list(passages), 4)
    assert written(asked, first, passages) == written(asked, first, passages)


def test_headings_are_the_sources_own_and_distinct() -> None:
    outline = extractive.make_outline(brief(min_words=900), cut(ROOFS, BEES), 6)
    headings = [section.heading for section in outline.sections]
    own = re.findall(r"^## (.*)$", ROOFS + "\n" + BEES, re.MULTILINE)
    assert set(headings) <= set(own)
    assert len(set(headings)) == len(headings) == 6


def test_without_headings_sections_are_named_by_what_they_speak_of() -> None:
    plain = re.sub(r"^## .*\n+", "", BREAD, flags=re.MULTILINE)
    outline = extractive.make_outline(brief("Baking at home", min_words=700), cut(plain), 4)
    headings = [section.heading for section in outline.sections]
    assert len(set(headings)) == 4
    for heading in headings:
        assert all(word.casefold() in BREAD.casefold() for word in heading.replace(" and ", " ").split())


def test_the_first_section_introduces() -> None:
    passages = cut(ROOFS, BEES, BREAD)
    for topic, first in (("Honey bees", "A honey bee cannot live"), ("Sourdough", "Sourdough is bread raised")):
        asked = brief(topic, min_words=1500)
        outline = extractive.make_outline(asked, passages, 8)
        assert written(asked, outline, passages)[0].startswith(first)


def test_a_short_source_still_makes_two_sections() -> None:
    passages = cut("Bees live in large colonies together. They collect nectar from many flowers.")
    asked = brief("Bees in the garden", min_words=300)
    outline = extractive.make_outline(asked, passages, 6)
    assert [section.sources for section in outline.sections] == [["S1"], ["S1"]]
    assert written(asked, outline, passages) == [
        "Bees live in large colonies together. [S1]",
        "They collect nectar from many flowers. [S1]",
    ]


@pytest.mark.parametrize("text", ["", "Menu\nHome\nContact", "There is only one single sentence in here."])
def test_sources_without_two_sentences_are_refused_with_advice(text: str) -> None:
    with pytest.raises(NothingToRead, match="Add a source with running text, or configure a model"):
        extractive.make_outline(brief(), cut(text) if text else [], 4)


def test_what_two_sources_say_alike_is_said_once() -> None:
    copy = ROOFS.replace("such as pumice or crushed brick", "such as pumice or broken brick")
    assert carried(cut(ROOFS, copy)) == carried(cut(ROOFS))


def test_a_source_cannot_smuggle_in_markdown_or_marks() -> None:
    hostile = (
        "The <script>alert(1)</script> garden grows very well here. The bees [S7] like the flowers on the roof. "
        "It is a *very* nice `place` for all [link](javascript:alert(1)) people.\n\n"
        "1986. The year was good for all of the roofs. See [^1] and ^[this note] in the garden of the town. "
        "# A hash begins nothing when the sentence is quoted."
    )
    passages = cut(hostile)
    asked = brief("Gardens of the town")
    sections = written(asked, extractive.make_outline(asked, passages, 2), passages)
    assert set(cited_ids("\n".join(sections))) == {"S1"}
    text, references = compile_references("\n\n".join(sections), Reading(passages=passages))
    assert references == []
    assert not re.search(r"(?<!\\)[<\[`*]", text)


def test_an_outline_a_person_changed_is_followed() -> None:
    passages = cut(ROOFS)
    asked = brief(min_words=900)
    outline = extractive.make_outline(asked, passages, 3)
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
        for text in written(asked, extractive.make_outline(asked, passages, 7), passages)
        for sentence in cited_sentences(text)
    ]
    assert len(cited) > 50
    assert {compare_with_passages(sentence, by_id) for sentence in cited} == {("supported", "")}


def test_many_passages_never_overfill_a_section() -> None:
    many = cut(*[f"Garden number {n} lies on the roof of house {chr(65 + n)}elia in town." for n in range(26)], words=1)
    outline = extractive.make_outline(brief(min_words=5000), many, 2)
    assert all(1 <= len(section.sources) <= 8 for section in outline.sections)


def test_findings_are_the_sentences_that_answer_a_question_with_their_passages() -> None:
    passages = cut(ROOFS, BREAD)
    asked = brief()
    found = [
        extractive.find(asked, passages, question).findings for question in ("How heavy is wet soil?", "Who waters?")
    ]
    by_id = {passage.id: passage.text for passage in passages}
    assert all(len(findings) == 3 for findings in found)
    assert found[0] != found[1]
    assert all(finding.statement in by_id[finding.sources[0]] for findings in found for finding in findings)
    assert "soil" in found[0][0].statement


def test_passages_without_a_sentence_answer_nothing() -> None:
    assert extractive.find(brief(), cut("Menu\nHome\nContact"), "What is there?").findings == []


def test_the_synthesis_takes_findings_to_all_questions_and_none_twice() -> None:
    passages = cut(ROOFS)
    questions = ("How heavy is wet soil?", "Who waters the garden?", "What does a roof cost?")
    findings = [finding for question in questions for finding in extractive.find(brief(), passages, question).findings]
    synthesis = extractive.synthesise(brief(), findings + findings).synthesis
    sentences = sentences_of([synthesis])
    assert 3 <= len(sentences) == len(set(sentences)) == len(cited_ids(synthesis)) <= 5
    assert set(sentences) <= {finding.statement for finding in findings}
    assert findings[0].statement in synthesis


def test_headings_and_plans_are_of_one_outline() -> None:
    passages = cut(ROOFS, BEES)
    asked = brief(min_words=900)
    headings = extractive.headings(asked, passages, 99)
    number = len(headings.sections)
    plans = [extractive.plan_section(asked, passages, number, place) for place in range(1, number + 1)]
    assert 6 < number < 99
    planned = zip(headings.sections, plans, strict=True)
    outline = Outline(
        title=headings.title,
        sections=[OutlineSection(heading=heading, **plan.model_dump()) for heading, plan in planned],
    )
    assert outline == extractive.make_outline(asked, passages, 99)


def test_an_outline_is_made_once_however_many_sections_ask_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []
    group = writer.group_passages

    def counting(*arguments: Any) -> list[list[str]]:
        made.append(1)
        return group(*arguments)

    monkeypatch.setattr(writer, "group_passages", counting)
    passages = cut(ROOFS, BEES)
    asked = brief("Counting outlines")
    with ThreadPoolExecutor(4) as threads:
        plans = list(threads.map(lambda n: extractive.plan_section(asked, list(passages), 4, n), (1, 2, 3, 4)))
    assert len({plan.purpose for plan in plans}) == 4
    assert len(made) == 1


def test_another_text_under_the_same_ids_is_another_outline() -> None:
    one, other = (extractive.headings(brief(), cut(text), 3) for text in (ROOFS, BEES))
    assert one.sections != other.sections


def test_questions_are_the_topic_alone_and_with_keywords() -> None:
    asked = brief("Rooftop  gardens", keywords=["soil", "rooftop", "water", "a", "b", "c", "d", "e"])
    questions = extractive.plan_questions(asked).questions
    assert questions[:3] == ["Rooftop gardens", "Rooftop gardens soil", "Rooftop gardens water"]
    assert len(questions) <= 6


def test_seo_fields_are_made_of_the_article() -> None:
    passages = cut(ROOFS)
    asked = brief(keywords=["green roof", "elephants"])
    outline = extractive.make_outline(asked, passages, 3)
    texts = zip(outline.sections, written(asked, outline, passages), strict=True)
    body = "\n\n".join(f"## {section.heading}\n\n{text}" for section, text in texts)
    seo = extractive.describe_seo(asked, outline.title, compile_references(body, Reading())[0])
    assert seo.title == "How Rooftop Gardens Cool Cities"
    assert seo.slug == "how-rooftop-gardens-cool-cities"
    assert 120 <= len(seo.meta_description) <= 160
    assert seo.meta_description.rstrip("…") in ROOFS.replace("\n", " ")
    assert seo.keywords[0] == "green roof"
    assert "elephants" not in seo.keywords
    assert 3 <= len(seo.keywords) <= 10


@pytest.mark.parametrize(
    ("title", "slug"),
    [
        ("Vườn trên mái ở Đà Nẵng", "vuon-tren-mai-o-da-nang"),
        ("Große Höfe & Łódź", "grosse-hofe-lodz"),
        ("屋顶花园", "屋顶花园"),
        ("!!! ???", "article"),
        ("word " * 30, "word-word-word-word-word-word"),
    ],
)
def test_a_slug_is_made_of_any_title(title: str, slug: str) -> None:
    seo = extractive.describe_seo(brief(), title, "")
    assert seo.slug == slug
    assert len(seo.title) <= 60
    assert seo.keywords == ["How rooftop gardens cool cities"]


def test_a_picture_is_described_by_title_and_headings() -> None:
    outline = extractive.make_outline(brief(), cut(ROOFS), 3)
    picture = extractive.picture_prompt(brief(), outline)
    assert outline.sections[1].heading in picture.prompt
    assert picture.alt == "Cover of the article “How Rooftop Gardens Cool Cities”"


def test_the_review_has_no_remarks() -> None:
    outline = extractive.make_outline(brief(), cut(ROOFS), 3)
    assert extractive.review(brief(), outline, [SectionText(markdown="x")]).remarks == []


@pytest.mark.parametrize(
    ("topic", "language", "title"),
    [
        ("the benefits of rooftop gardens", "en", "The Benefits of Rooftop Gardens"),
        ("why do bees dance?", "en-GB", "Why do bees dance?"),
        ("What NASA knows about Mars", "en", "What NASA knows about Mars"),
        ("dachgärten in der stadt", "de", "Dachgärten in der stadt"),
        ("  <b>bold</b> [claims]. ", "en", "B Bold /b Claims"),
        ("******", "en", "******"),
    ],
)
def test_the_title_is_the_topic(topic: str, language: str, title: str) -> None:
    assert title_of(topic, language) == title


def test_a_long_topic_is_cut_at_a_word() -> None:
    title = title_of("gardening " * 40, "en")
    assert len(title) <= 120
    assert title.endswith("Gardening…")
    assert clip("exactly ten", 11) == "exactly ten"
    assert clip("x" * 30, 10) == "x" * 9 + "…"


def test_keywords_of_german_text_are_nouns() -> None:
    assert keywords(split(GERMAN, "de"), (), "de") == ["Erde", "Gebäude", "Gewicht"]


def test_terms_of_chinese_text_are_pairs_of_characters() -> None:
    assert terms("屋顶花园", "zh") == ["屋顶", "顶花", "花园"]


def test_importing_the_writer_loads_nothing_heavy() -> None:
    heavy = {"numpy", "bm25s", "crewai", "openai"}
    code = f"import sys, agents.extractive, agents.samples, agents.text.citations; print(sorted({heavy} & set(sys.modules)))"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert answer.stdout.strip() == "[]"
