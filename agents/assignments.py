"""What each agent is asked in each step: the fields its task's words are filled with, the shape of its answer, and what the
built-in writer answers where no model is configured.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Generic, Literal, TypeVar, cast

from django.conf.locale import LANG_INFO
from pydantic import Field, create_model

from agents import extractive
from agents.contract import (
    FAQ,
    Answer,
    Brief,
    Description,
    Finding,
    Found,
    Headings,
    Outline,
    OutlineSection,
    Passage,
    PicturePrompt,
    Questions,
    Reading,
    Remark,
    Review,
    SectionPlan,
    Synthesis,
    Text,
    Verdict,
)
from agents.text.evidence import Cited
from agents.text.manuscript import words_of
from agents.text.voices import told_voice

Reply = TypeVar("Reply")

LEAST_QUESTIONS = 3


@dataclass(frozen=True)
class Assignment(Generic[Reply]):
    """``task`` is a name in tasks.yaml, ``fields`` what fills its braces; ``answer`` is ``str`` or a shape of the contract."""

    task: str
    answer: type[Reply]
    fields: dict[str, object]
    built_in: Callable[[], Reply]


# Research


def plan_research(brief: Brief, questions: int) -> Assignment[Questions]:
    several = Annotated[list[str], Field(min_length=LEAST_QUESTIONS, max_length=6)]
    shape = create_model("Questions", __base__=Questions, questions=(several, ...))
    return Assignment(
        "plan_research", shape, told(brief) | {"count": questions}, lambda: extractive.plan_questions(brief)
    )


def find(brief: Brief, question: str, passages: Sequence[Passage]) -> Assignment[Found]:
    fields = told(brief) | {"question": question, "passages": quoted(passages)}
    return Assignment("find", Found, fields, lambda: extractive.find(brief, passages, question))


def synthesise(brief: Brief, findings: Sequence[Finding]) -> Assignment[Synthesis]:
    fields = told(brief) | {"findings": listed(map(finding_line, findings))}
    return Assignment("synthesise", Synthesis, fields, lambda: extractive.synthesise(brief, findings))


# The outline


def make_headings(
    brief: Brief, findings: Sequence[Finding], passages: Sequence[Passage], sections: int
) -> Assignment[Headings]:
    """The title and ``sections`` headings, of the findings. The built-in writer shares out all the passages that were read."""
    fields = told(brief) | {
        "findings": listed(map(finding_line, findings)),
        "sections": sections,
        "wish": f"The outline before this one was not what was wanted: {brief.outline_wish}\n"
        if brief.outline_wish
        else "",
    }
    return Assignment("make_headings", Headings, fields, lambda: extractive.headings(brief, passages, sections))


def plan_section(
    brief: Brief,
    headings: Headings,
    number: int,
    findings: Sequence[Finding],
    passages: Sequence[Passage],
    reading: Sequence[Passage],
) -> Assignment[SectionPlan]:
    """What section ``number`` (from 1) has to do. A model is shown ``passages``; the built-in writer shares out ``reading``."""
    fields = told(brief) | {
        "title": headings.title,
        "outline": numbered(headings.sections),
        "number": number,
        "heading": headings.sections[number - 1],
        "findings": listed(map(finding_line, findings)),
        "passages": quoted(passages),
    }
    sections = len(headings.sections)
    return Assignment(
        "plan_section", SectionPlan, fields, lambda: extractive.plan_section(brief, reading, sections, number)
    )


# The text


def write_section(
    brief: Brief, outline: Outline, number: int, reading: Reading, passages: Sequence[Passage], words: int
) -> Assignment[str]:
    """The text of section ``number`` (from 1) in about ``words`` words.

    A model is shown ``passages``; the built-in writer has to know all that was read, to use no sentence twice.
    """
    section = outline.sections[number - 1]
    fields = section_fields(brief, outline, number, passages, words) | {
        "purpose": section.purpose,
        "points": listed(section.points),
        "before": neighbour(outline, number - 1),
        "after": neighbour(outline, number + 1),
    }
    return Assignment(
        task("write_section", passages),
        str,
        fields,
        lambda: extractive.write_section(brief, outline, number - 1, reading.passages, section.words).markdown,
    )


def rewrite_section(
    brief: Brief, outline: Outline, number: int, passages: Sequence[Passage], text: str, words: int
) -> Assignment[str]:
    """Section ``number`` (from 1) as it is, in another length and in the language asked for."""
    fields = section_fields(brief, outline, number, passages, words) | {"text": text, "count": words_of(text)}
    return Assignment(task("rewrite_section", passages), str, fields, lambda: text)


def review(brief: Brief, outline: Outline, texts: Sequence[str]) -> Assignment[Review]:
    """The answer's shape knows how many sections there are, so that no remark is about one that does not exist."""
    numbers = Literal[tuple(range(1, len(texts) + 1))]  # type: ignore[valid-type]  # made at run time
    remark = create_model("Remark", __base__=Remark, section=(numbers, ...))
    shape = create_model("Review", __base__=Review, remarks=(list[remark], ...))  # type: ignore[valid-type]
    fields = told(brief) | {"article": assembled(outline, texts), "voice": told_voice(brief.voice)}
    return Assignment(
        "review",
        shape,
        fields,
        lambda: extractive.review(brief, outline, [Text(markdown=text) for text in texts]),
    )


def edit_section(
    brief: Brief,
    outline: Outline,
    number: int,
    text: str,
    remarks: Sequence[Remark],
    passages: Sequence[Passage],
    words: int,
) -> Assignment[str]:
    """Section ``number`` (from 1) mended as ``remarks`` ask. The built-in writer leaves it as it is."""
    fields = section_fields(brief, outline, number, passages, words) | {
        "text": text,
        "remarks": listed(f"{remark.kind}: {remark.instruction}" for remark in remarks),
    }
    return Assignment(task("edit_section", passages), str, fields, lambda: text)


# The evidence


class Numbered(Answer):
    """One answer to each of some numbered sentences: fields ``s1``, ``s4`` …, so that none is left out or made up."""

    def by_number(self) -> dict[int, Any]:
        return {int(name.removeprefix("s")): value for name, value in self}


def judge(brief: Brief, sentences: Sequence[Cited], passages: Mapping[str, Passage]) -> Assignment[Numbered]:
    """A verdict on each sentence. The built-in writer's stand in their passages word for word, so it is never asked."""
    shape = one_for_each("Verdicts", sentences, Verdict)
    fields = told(brief) | {
        "sentences": "\n".join(f"s{sentence.number}: {sentence.text}" for sentence in sentences),
        "passages": quoted(cited_by(sentences, passages)),
    }
    return Assignment("judge", shape, fields, lambda: shape(**dict.fromkeys(shape.model_fields, "partly")))


def reword(
    brief: Brief, sentences: Sequence[Cited], reasons: Mapping[int, str], passages: Mapping[str, Passage]
) -> Assignment[Numbered]:
    """Each sentence anew, saying no more than what it cites. The built-in writer leaves them as they are."""
    shape = one_for_each("Rewordings", sentences, str)
    fields = told(brief) | {
        "sentences": "\n".join(
            f"s{sentence.number}: {sentence.text} ({reasons[sentence.number]})" for sentence in sentences
        ),
        "passages": quoted(cited_by(sentences, passages)),
    }
    return Assignment(
        "reword", shape, fields, lambda: shape(**{f"s{sentence.number}": sentence.plain for sentence in sentences})
    )


def one_for_each(name: str, sentences: Sequence[Cited], answer: Any) -> type[Numbered]:
    fields: dict[str, Any] = {f"s{sentence.number}": (answer, ...) for sentence in sentences}
    return cast(type[Numbered], create_model(name, __base__=Numbered, **fields))


def cited_by(sentences: Sequence[Cited], passages: Mapping[str, Passage]) -> list[Passage]:
    ids = dict.fromkeys(id for sentence in sentences for id in sentence.passages)
    return [passages[id] for id in ids if id in passages]


# What is told of it


def describe_seo(brief: Brief, outline: Outline, texts: Sequence[str]) -> Assignment[Description]:
    article = assembled(outline, texts)
    fields = told(brief) | {"title": outline.title, "article": article}
    return Assignment(
        "describe_seo", Description, fields, lambda: extractive.describe_seo(brief, outline.title, article)
    )


def describe_again(
    brief: Brief, outline: Outline, description: Description, problems: Mapping[str, Sequence[str]]
) -> Assignment[Answer]:
    """The fields of the description that have ``problems``, anew; the answer's shape holds no others, so it is short."""
    wrong: dict[str, Any] = {
        name: (field.annotation, field) for name, field in Description.model_fields.items() if name in problems
    }
    shape = cast(type[Answer], create_model("Mended", __base__=Answer, **wrong))
    fields = told(brief) | {
        "title": outline.title,
        "outline": headings_of(outline),
        "description": listed(f"{name}: {value}" for name, value in description),
        "problems": listed(problem for found in problems.values() for problem in found),
        "fields": ", ".join(wrong),
    }
    return Assignment(
        "describe_again", shape, fields, lambda: shape(**{name: getattr(description, name) for name in wrong})
    )


def answer_questions(brief: Brief, outline: Outline, texts: Sequence[str]) -> Assignment[FAQ]:
    fields = told(brief) | {"title": outline.title, "article": assembled(outline, texts)}
    return Assignment("answer_questions", FAQ, fields, lambda: FAQ(faq=[]))


def picture_prompt(brief: Brief, outline: Outline) -> Assignment[PicturePrompt]:
    fields = told(brief) | {"title": outline.title, "outline": headings_of(outline)}
    return Assignment("picture_prompt", PicturePrompt, fields, lambda: extractive.picture_prompt(brief, outline))


# The fields


def told(brief: Brief) -> dict[str, object]:
    """The brief, as every agent is told it."""
    language = language_name(brief.language)
    lines = [
        f"Topic: {brief.topic}",
        f"Readers: {brief.target_audience}",
        f"Tone: {brief.tone}",
        f"Language: {language}",
    ]
    if brief.keywords:
        lines.append(f"Keywords: {', '.join(brief.keywords)}")
    if brief.notes:
        lines.append(f"Notes of the person who asked: {brief.notes}")
    return {"brief": "\n".join(lines), "language": language}


def language_name(tag: str) -> str:
    """``vi`` → ``Vietnamese (vi)``: models take a name more seriously than a tag."""
    known = LANG_INFO.get(tag.casefold()) or LANG_INFO.get(tag.partition("-")[0].casefold()) or {}
    name = known.get("name")
    return f"{name} ({tag})" if name else tag


def section_fields(
    brief: Brief, outline: Outline, number: int, passages: Sequence[Passage], words: int
) -> dict[str, object]:
    return told(brief) | {
        "title": outline.title,
        "outline": headings_of(outline),
        "number": number,
        "heading": outline.sections[number - 1].heading,
        "passages": quoted(passages),
        "voice": told_voice(brief.voice),
        "words": words,
    }


def task(name: str, passages: Sequence[Passage]) -> str:
    """The task's name in tasks.yaml; one that has nothing to cite is told so in words of its own."""
    return name if passages else f"{name}_uncited"


def listed(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines) or "- (none)"


def numbered(lines: Iterable[str]) -> str:
    return "\n".join(f"{number}. {line}" for number, line in enumerate(lines, 1))


def finding_line(finding: Finding) -> str:
    return f"{finding.statement} {' '.join(f'[{id}]' for id in finding.sources)}"


def quoted(passages: Sequence[Passage]) -> str:
    """Passages as material between marks, each under its id. A passage cannot end its own marks."""
    return "\n\n".join(f"[{p.id}]\n<<<\n{p.text.replace('>>>', '> > >')}\n>>>" for p in passages) or "(none)"


def headings_of(outline: Outline) -> str:
    return numbered(map(heading_line, outline.sections))


def heading_line(section: OutlineSection) -> str:
    return f"{section.heading}: {section.purpose}" if section.purpose else section.heading


def neighbour(outline: Outline, number: int) -> str:
    """What the section next to one covers; where there is none, the article begins or ends."""
    if number < 1:
        return "(nothing: the article begins with yours)"
    if number > len(outline.sections):
        return "(nothing: the article ends with yours)"
    section = outline.sections[number - 1]
    return f"{section.heading}: {'; '.join(section.points) or section.purpose}"


def assembled(outline: Outline, texts: Sequence[str]) -> str:
    """The article as its editors read it, sections numbered."""
    pairs = zip(outline.sections, texts, strict=True)
    return "\n\n".join(f"## {number}. {section.heading}\n\n{text}" for number, (section, text) in enumerate(pairs, 1))
