"""The built-in writer quotes what was read, cites it, and never says a thing twice."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from agents import extractive, samples
from agents.contract import Brief, Finding, Lead, Outline, OutlineSection, Passage, Plan, Reading
from agents.exceptions import ManuscriptIncomplete, NothingToRead
from agents.extractive.material import gather
from agents.extractive.naming import clip, keywords, title_of
from agents.extractive.sentences import split
from agents.extractive.terms import terms
from agents.text.citations import cited_ids, compile_references, strip_unknown_marks
from agents.text.evidence import cited_sentences, compare_with_passages
from agents.text.planning import assign_findings, distribute_words
from agents.text.prompt_fields import finding_line
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


def found_in(asked: Brief, passages: list[Passage], count: int = 15) -> list[Finding]:
    """The findings, numbered as research does."""
    facts = extractive.find(asked, passages, count).findings
    return [Finding(number=number, **fact.model_dump()) for number, fact in enumerate(facts, 1)]


def outline_of(plan: Plan, findings: list[Finding], words: int) -> Outline:
    """The outline of ``plan``, made as the pipeline makes it."""
    by_number = {finding.number: finding for finding in findings}
    shares = distribute_words([section.words for section in plan.sections], words)
    owned, dismissed = assign_findings(plan, findings)
    sections = [
        OutlineSection(
            heading=section.heading,
            purpose=section.purpose,
            points=[finding_line(by_number[number]) for number in numbers],
            findings=numbers,
            sources=[id for number in numbers for id in by_number[number].sources],
            words=share,
        )
        for section, numbers, share in zip(plan.sections, owned, shares, strict=True)
    ]
    return Outline(title=plan.title, answer=plan.answer, sections=sections, dismissed=dismissed)


def outline_for(asked: Brief, passages: list[Passage], sections: int) -> Outline:
    findings = found_in(asked, passages)
    return outline_of(extractive.plan(asked, findings, passages, sections), findings, asked.min_words)


def written(asked: Brief, outline: Outline, passages: list[Passage]) -> list[str]:
    return [
        extractive.write_section(asked, outline, index, passages, section.words).markdown
        for index, section in enumerate(outline.sections)
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
    outline = outline_for(asked, passages, 4)
    sections = written(asked, outline, passages)
    sentences = sentences_of(sections, language)
    assert len(sentences) == len(set(sentences)) > 1
    real = {sentence for text in texts for sentence in split(text, language)}
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
        assert words <= length < words + 30 * sections


def test_it_is_as_long_as_the_sources_carry_and_never_padded() -> None:
    passages = cut(ROOFS)
    asked = brief(min_words=5000)
    sections = written(asked, outline_for(asked, passages, 8), passages)
    assert word_count(sections) == carried(passages) < 700


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
    plan = extractive.plan(asked, [*findings, copied], passages, sections)
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
    last = gather(passages, "en").quotes[-1]
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


def test_seo_fields_are_made_of_the_article() -> None:
    passages = cut(ROOFS)
    asked = brief(keywords=["green roof", "elephants"])
    outline = outline_for(asked, passages, 3)
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
    outline = outline_for(brief(), cut(ROOFS), 3)
    picture = extractive.picture_prompt(brief(), outline)
    assert outline.sections[1].heading in picture.prompt
    assert picture.alt == "Cover of the article “How Rooftop Gardens Cool Cities”"


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
