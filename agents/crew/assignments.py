"""The tasks of the agents: which prompt of ``config/tasks.yaml``, its fields, the schema of the answer, and the answer of the
built-in writer, which is used if no model is configured.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Generic, Literal, TypeVar, cast

from pydantic import Field, create_model

from agents import extractive
from agents.contract import (
    FAQ,
    Brief,
    Finding,
    Headings,
    LLMOutput,
    Outline,
    Passage,
    PicturePrompt,
    QuestionFindings,
    Questions,
    Reading,
    Remark,
    Review,
    SearchDescription,
    SectionPlan,
    SectionText,
    Synthesis,
    Verdict,
)
from agents.text.evidence import CitedSentence
from agents.text.markdown import count_words
from agents.text.prompt_fields import (
    brief_fields,
    bullet_list,
    neighbouring_section,
    numbered_article,
    numbered_list,
    outline_text,
    quote_findings,
    quote_passages,
    section_fields,
)
from agents.text.quoting import quote, quote_markdown
from agents.text.voices import voice_instructions

Reply = TypeVar("Reply")

MIN_QUESTIONS = 3


@dataclass(frozen=True)
class Assignment(Generic[Reply]):
    """``task`` is a name in tasks.yaml, ``fields`` fill its placeholders; ``answer`` is ``str`` or a schema.

    ``built_in`` is the answer of the built-in writer.
    """

    task: str
    answer: type[Reply]
    fields: dict[str, object]
    built_in: Callable[[], Reply]


# Research


def plan_research(brief: Brief, questions: int) -> Assignment[Questions]:
    several = Annotated[list[str], Field(min_length=MIN_QUESTIONS, max_length=6)]
    shape = create_model("Questions", __base__=Questions, questions=(several, ...))
    return Assignment(
        "plan_research", shape, brief_fields(brief) | {"count": questions}, lambda: extractive.plan_questions(brief)
    )


def find(brief: Brief, question: str, passages: Sequence[Passage]) -> Assignment[QuestionFindings]:
    fields = brief_fields(brief) | {"question": question, "passages": quote_passages(passages)}
    return Assignment("find", QuestionFindings, fields, lambda: extractive.find(brief, passages, question))


def synthesise(brief: Brief, findings: Sequence[Finding]) -> Assignment[Synthesis]:
    fields = brief_fields(brief) | {"findings": quote_findings(findings)}
    return Assignment("synthesise", Synthesis, fields, lambda: extractive.synthesise(brief, findings))


# The outline


def make_headings(
    brief: Brief, findings: Sequence[Finding], passages: Sequence[Passage], sections: int
) -> Assignment[Headings]:
    """The title and ``sections`` headings, from the findings. The built-in writer distributes all passages that were read."""
    fields = brief_fields(brief) | {
        "findings": quote_findings(findings),
        "sections": sections,
        "wish": f"The outline before this one was not what was wanted: {brief.outline_wish}\n"
        if brief.outline_wish
        else "",
    }
    shape = headings_schema(sections)
    return Assignment("make_headings", shape, fields, lambda: extractive.headings(brief, passages, sections))


def make_headings_again(brief: Brief, made: Headings, problems: Sequence[str], sections: int) -> Assignment[Headings]:
    """Title and headings corrected; ``problems`` are sentences that say what is wrong with them."""
    fields = brief_fields(brief) | {
        "title": made.title,
        "outline": numbered_list(made.sections),
        "problems": bullet_list(problems),
        "sections": sections,
    }
    return Assignment("make_headings_again", headings_schema(sections), fields, lambda: made)


def headings_schema(sections: int) -> type[Headings]:
    """Asks for exactly that many sections. An answer with another number is still valid: it is corrected later."""
    count = {"minItems": sections, "maxItems": sections}
    several = Annotated[list[str], Field(min_length=1, max_length=100, json_schema_extra=count)]
    return create_model("Headings", __base__=Headings, sections=(several, ...))


def plan_section(
    brief: Brief,
    headings: Headings,
    number: int,
    findings: Sequence[Finding],
    passages: Sequence[Passage],
    reading: Sequence[Passage],
) -> Assignment[SectionPlan]:
    """The plan of section ``number`` (from 1). A model gets ``passages``, the built-in writer distributes ``reading``."""
    fields = brief_fields(brief) | {
        "title": headings.title,
        "outline": numbered_list(headings.sections),
        "number": number,
        "heading": headings.sections[number - 1],
        "findings": quote_findings(findings),
        "passages": quote_passages(passages),
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

    A model gets ``passages``; the built-in writer needs all that was read, to use no sentence twice.
    """
    section = outline.sections[number - 1]
    fields = section_fields(brief, outline, number, passages, words) | {
        "purpose": section.purpose,
        "points": bullet_list(section.points),
        "before": neighbouring_section(outline, number - 1),
        "after": neighbouring_section(outline, number + 1),
    }
    return Assignment(
        task("write_section", passages),
        str,
        fields,
        lambda: extractive.write_section(brief, outline, number - 1, reading.passages, section.words).markdown,
    )


def rewrite_section(
    brief: Brief,
    outline: Outline,
    number: int,
    passages: Sequence[Passage],
    text: str,
    words: int,
    wrong: Sequence[str],
) -> Assignment[str]:
    """Section ``number`` (from 1) corrected: ``wrong`` are sentences that say what is wrong with ``text``."""
    fields = section_fields(brief, outline, number, passages, words) | {
        "text": quote_markdown(text),
        "count": count_words(text),
        "wrong": bullet_list(wrong),
    }
    return Assignment(task("rewrite_section", passages), str, fields, lambda: text)


def extend_section(
    brief: Brief, outline: Outline, number: int, passages: Sequence[Passage], text: str, words: int
) -> Assignment[str]:
    """A paragraph of ``words`` words that continues ``text``, which is section ``number`` (from 1)."""
    fields = section_fields(brief, outline, number, passages, words) | {"text": quote_markdown(text)}
    return Assignment(task("extend_section", passages), str, fields, lambda: "")


def review(brief: Brief, outline: Outline, texts: Sequence[str]) -> Assignment[Review]:
    """The schema names the sections, so that no remark is about one that does not exist."""
    numbers = Literal[tuple(range(1, len(texts) + 1))]  # type: ignore[valid-type]  # made at run time
    remark = create_model("Remark", __base__=Remark, section=(numbers, ...))
    shape = create_model("Review", __base__=Review, remarks=(list[remark], ...))  # type: ignore[valid-type]
    fields = brief_fields(brief) | {
        "article": quote_markdown(numbered_article(outline, texts)),
        "voice": voice_instructions(brief.voice),
    }
    return Assignment(
        "review",
        shape,
        fields,
        lambda: extractive.review(brief, outline, [SectionText(markdown=text) for text in texts]),
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
    """Section ``number`` (from 1) revised as ``remarks`` ask. The built-in writer leaves it unchanged."""
    fields = section_fields(brief, outline, number, passages, words) | {
        "text": quote_markdown(text),
        "remarks": bullet_list(f"{remark.kind}: {remark.instruction}" for remark in remarks),
    }
    return Assignment(task("edit_section", passages), str, fields, lambda: text)


# The evidence


class PerSentence(LLMOutput):
    """One answer per sentence, in fields ``s1``, ``s2`` …, so that none is missing or invented."""

    def by_number(self, sentences: Sequence[CitedSentence]) -> dict[int, Any]:
        """The answers by the number of the sentence in its section."""
        return {sentence.number: answer for sentence, (_, answer) in zip(sentences, self, strict=True)}


def judge(brief: Brief, sentences: Sequence[CitedSentence], passages: Mapping[str, Passage]) -> Assignment[PerSentence]:
    """A verdict on each sentence. Never used with the built-in writer, which quotes its passages word for word."""
    shape = verdicts(len(sentences))
    fields = brief_fields(brief) | {
        "sentences": quote("\n".join(f"s{place}: {sentence.marked}" for place, sentence in enumerate(sentences, 1))),
        "passages": quote_passages(cited_passages(sentences, passages)),
    }
    return Assignment("judge", shape, fields, lambda: shape(**dict.fromkeys(shape.model_fields, "partly")))


def reword(
    brief: Brief, sentences: Sequence[CitedSentence], reasons: Mapping[int, str], passages: Mapping[str, Passage]
) -> Assignment[PerSentence]:
    """Each sentence reworded to say no more than its sources. The built-in writer leaves them unchanged."""
    shape = rewordings(len(sentences))
    lines = (f"s{place}: {sentence.marked} ({reasons[sentence.number]})" for place, sentence in enumerate(sentences, 1))
    fields = brief_fields(brief) | {
        "sentences": quote("\n".join(lines)),
        "passages": quote_passages(cited_passages(sentences, passages)),
    }
    as_they_are = [sentence.plain for sentence in sentences]
    return Assignment("reword", shape, fields, lambda: shape(**dict(zip(shape.model_fields, as_they_are, strict=True))))


def verdicts(count: int) -> type[PerSentence]:
    return one_field_per_sentence("Verdicts", count, Verdict)


def rewordings(count: int) -> type[PerSentence]:
    return one_field_per_sentence("Rewordings", count, str)


@cache  # building a schema takes 2 ms; a section has few cited sentences
def one_field_per_sentence(name: str, count: int, answer: Any) -> type[PerSentence]:
    fields: dict[str, Any] = {f"s{place}": (answer, ...) for place in range(1, count + 1)}
    return cast(type[PerSentence], create_model(name, __base__=PerSentence, **fields))


def cited_passages(sentences: Sequence[CitedSentence], passages: Mapping[str, Passage]) -> list[Passage]:
    ids = dict.fromkeys(id for sentence in sentences for id in sentence.passages)
    return [passages[id] for id in ids if id in passages]


# The search description


def describe_seo(brief: Brief, outline: Outline, texts: Sequence[str]) -> Assignment[SearchDescription]:
    article = numbered_article(outline, texts)
    fields = brief_fields(brief) | {"title": outline.title, "article": quote_markdown(article)}
    return Assignment(
        "describe_seo", SearchDescription, fields, lambda: extractive.describe_seo(brief, outline.title, article)
    )


def describe_again(
    brief: Brief, outline: Outline, description: SearchDescription, problems: Mapping[str, Sequence[str]]
) -> Assignment[LLMOutput]:
    """The fields of the description that have ``problems``, corrected; the schema has no other fields."""
    wrong: dict[str, Any] = {
        name: (field.annotation, field) for name, field in SearchDescription.model_fields.items() if name in problems
    }
    shape = cast(type[LLMOutput], create_model("Mended", __base__=LLMOutput, **wrong))
    fields = brief_fields(brief) | {
        "title": outline.title,
        "outline": outline_text(outline),
        "description": bullet_list(f"{name}: {value}" for name, value in description),
        "problems": bullet_list(problem for found in problems.values() for problem in found),
        "fields": ", ".join(wrong),
    }
    return Assignment(
        "describe_again", shape, fields, lambda: shape(**{name: getattr(description, name) for name in wrong})
    )


def answer_questions(brief: Brief, outline: Outline, texts: Sequence[str], wrong: str = "") -> Assignment[FAQ]:
    """``wrong`` is a sentence that says what was wrong with the previous answer."""
    fields = brief_fields(brief) | {
        "title": outline.title,
        "article": quote_markdown(numbered_article(outline, texts)),
        "wrong": f"\n{wrong}\n" if wrong else "",
    }
    return Assignment("answer_questions", FAQ, fields, lambda: FAQ(faq=[]))


def picture_prompt(brief: Brief, outline: Outline) -> Assignment[PicturePrompt]:
    fields = brief_fields(brief) | {"title": outline.title, "outline": outline_text(outline)}
    return Assignment("picture_prompt", PicturePrompt, fields, lambda: extractive.picture_prompt(brief, outline))


def task(name: str, passages: Sequence[Passage]) -> str:
    """The task's name in tasks.yaml. There is a variant for sections without passages to cite."""
    return name if passages else f"{name}_uncited"
