"""Texts for the built-in writer, as passages, and the outlines and sections it makes of them."""

from __future__ import annotations

import re

from agents import extractive, samples
from agents.contract import Brief, Finding, Outline, OutlineSection, Passage, Plan
from agents.extractive.material import gather
from agents.extractive.sentences import read
from agents.pipeline.outline import as_plan
from agents.text.citations import strip_unknown_marks
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


def split(text: str) -> list[str]:
    return [sentence for _, sentence in read(text)]


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
    made = extractive.plan(asked, findings, passages, sections)
    return outline_of(as_plan(made, made.title, made.sections), findings, asked.min_words)


def written(asked: Brief, outline: Outline, passages: list[Passage]) -> list[str]:
    return [
        extractive.write_section(asked, outline, index, passages).markdown for index in range(len(outline.sections))
    ]


def sentences_of(sections: list[str], language: str = "en") -> list[str]:
    return [sentence for text in sections for sentence in split(strip_unknown_marks(text, ()).replace("\\", ""))]


def carried(passages: list[Passage]) -> int:
    """Words an article made of the passages can have at the most."""
    return sum(quote.words for quote in gather(brief(), passages).quotes)


def word_count(sections: list[str]) -> int:
    return count_plain_words(strip_unknown_marks("\n".join(sections), ()))
