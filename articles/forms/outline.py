"""The outline editor: title, answer, and sections in the order in which the browser submits them.

Every section has the same unnumbered fields. Browsers submit fields in the order of the page (HTML, "Constructing the
entry list"), so moving a section's card moves the section, with or without JavaScript.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from itertools import zip_longest
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.text import get_text_list

from agents.contract import MAX_HEADING, MAX_SECTIONS, Finding, Outline, OutlineSection
from articles.forms.fields import LimitedCharField, NumberField
from articles.models import Article
from articles.runs.findings import findings_of
from articles.services import (
    MAX_SECTION_WORDS,
    MIN_SECTION_WORDS,
    distribute_words,
    moved_with_sections,
    passages_by_id,
)

MIN_SECTIONS = 2
MAX_PURPOSE, MAX_POINT, MAX_POINTS, MAX_PASSAGES, MAX_WISH = 500, 300, 12, 20, 1000
MAX_ANSWER, MAX_FINDINGS = 1000, 100
MAX_QUESTION, MAX_QUESTIONS, MAX_TERMS = 300, 10, 12
FIELDS = ("planned_as", "heading", "purpose", "layout", "points", "findings", "words", "sources")
TOP_FIELDS = ("title", "answer", "position", "seen_seq", "wish")
FORMS = {
    "prose": "Text",
    "table": "Table",
    "chart": "Chart",
    "steps": "Numbered steps",
    "list": "List",
}
"""What the main part of a section is, with a label."""

Row = dict[str, str]
"""The raw values of a section's fields."""


class LanguageForm(forms.Form):
    """A form whose ``language_fields`` are in the article's language, for spell checkers and screen readers."""

    language_fields: tuple[str, ...] = ()

    def __init__(self, language: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        for name in self.language_fields:
            self.fields[name].widget.attrs |= {"lang": language, "dir": "auto"}


class TitleForm(LanguageForm):
    language_fields = ("title", "answer", "position")

    title = LimitedCharField(
        min_length=5,
        limit=MAX_HEADING,
        error_messages={"required": "Enter a title.", "min_length": "Use at least 5 characters."},
    )
    answer = LimitedCharField(
        required=False,
        limit=MAX_ANSWER,
        label="Answer in short",
        help_text="What the article answers, in two sentences. Everything in it is written towards this.",
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    position = LimitedCharField(
        required=False,
        limit=MAX_ANSWER,
        label="Recommendation",
        help_text="What the article recommends, and for whom. Leave it empty for an article that only informs.",
        widget=forms.Textarea(attrs={"rows": 2}),
    )


class WishForm(forms.Form):
    wish = LimitedCharField(
        limit=MAX_WISH,
        label="What should change?",
        widget=forms.Textarea(attrs={"rows": 2, "placeholder": "Start with the costs and leave out the history."}),
        error_messages={"required": "Say what should change."},
    )


class SectionForm(LanguageForm):
    """A section. Empty ``words`` get a share of the rest; ``sources`` are passage ids with any separator.

    ``findings`` are the numbers of the findings it owns, which move with it and are not edited. ``planned_as`` is its number in
    the waiting outline, empty if it was added: questions of readers and terms follow it.
    """

    language_fields = ("heading", "purpose", "points")

    planned_as = forms.CharField(required=False, widget=forms.HiddenInput)
    heading = LimitedCharField(
        min_length=2,
        limit=MAX_HEADING,
        error_messages={"required": "Enter a heading.", "min_length": "Use at least 2 characters."},
    )
    purpose = LimitedCharField(required=False, limit=MAX_PURPOSE, widget=forms.Textarea(attrs={"rows": 2}))
    points = forms.CharField(required=False, label="Points, one per line", widget=forms.Textarea(attrs={"rows": 3}))
    layout = forms.ChoiceField(
        choices=FORMS, initial="prose", label="Form"
    )  # as “form” it would hide the property of HTML
    findings = forms.CharField(required=False, widget=forms.HiddenInput)
    words = NumberField(required=False, min_value=MIN_SECTION_WORDS, max_value=MAX_SECTION_WORDS)
    sources = forms.CharField(
        required=False,
        label="Sources used",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "placeholder": "S1, S2"}),
    )

    def __init__(
        self,
        number: int | str,
        language: str,
        passages: Mapping[str, str],
        known_findings: Mapping[int, Finding],
        **kwargs: Any,
    ) -> None:
        super().__init__(language, auto_id=f"%s-{number}", **kwargs)
        self.number, self.passages, self.known_findings = number, passages, known_findings

    def clean_points(self) -> list[str]:
        points = nonblank_lines(self.cleaned_data["points"])
        if len(points) > MAX_POINTS or any(len(point) > MAX_POINT for point in points):
            raise ValidationError(f"Use at most {MAX_POINTS} points, one per line, of up to {MAX_POINT} characters.")
        return points

    def clean_sources(self) -> list[str]:
        ids = passage_ids(self.cleaned_data["sources"])
        if unknown := [id for id in ids if id not in self.passages]:
            raise ValidationError(f"There is no passage {', '.join(unknown)}.")
        if len(ids) > MAX_PASSAGES:
            raise ValidationError(f"Use at most {MAX_PASSAGES} passages.")
        return ids

    def clean_findings(self) -> list[int]:
        """Numbers that are no finding's are dropped: nobody types them."""
        return finding_numbers(self.cleaned_data["findings"], self.known_findings)

    def section(self) -> OutlineSection:
        given = {**self.cleaned_data, "words": self.cleaned_data["words"] or 0}
        del given["planned_as"]
        return OutlineSection(form=given.pop("layout"), **given)

    @property
    def owned_findings(self) -> list[Finding]:
        numbers = finding_numbers(str(self["findings"].value() or ""), self.known_findings)
        return [self.known_findings[number] for number in numbers]

    @property
    def named_passages(self) -> list[tuple[str, str]]:
        """The passages the section names, with their texts."""
        return [(id, self.passages[id]) for id in passage_ids(self["sources"].value() or "") if id in self.passages]


class OutlineEditor:
    """The state of the page: the outline as made or typed, with errors where it was checked."""

    least_words, least_sections, most_sections = MIN_SECTION_WORDS, MIN_SECTIONS, MAX_SECTIONS

    def __init__(self, article: Article, top: Row, rows: list[Row]) -> None:
        run = article.latest_run()
        self.article, self.top, self.rows = article, top, rows
        self.waiting = Outline.model_validate(article.outline) if article.outline else None
        self.passages = passages_by_id(run) if run else {}
        self.findings = {finding.number: finding for finding in findings_of(run)} if run else {}
        self.problem = ""
        self.build_forms()

    @classmethod
    def from_article(cls, article: Article) -> OutlineEditor:
        """The outline the crew made. ``article`` is waiting for approval."""
        outline, run = Outline.model_validate(article.outline), article.latest_run()
        top = {
            "title": outline.title,
            "answer": outline.answer,
            "position": outline.position,
            "seen_seq": str(article.last_seq),
            "wish": run.outline_wish if run else "",
        }
        return cls(article, top, [section_row(number, section) for number, section in enumerate(outline.sections, 1)])

    @classmethod
    def from_post(cls, article: Article, data: QueryDict) -> OutlineEditor:
        top = {name: data.get(name, "") for name in TOP_FIELDS}
        sent = zip_longest(*(data.getlist(name) for name in FIELDS), fillvalue="")
        return cls(article, top, [dict(zip(FIELDS, values, strict=True)) for values in sent])

    def build_forms(self, *, check_outline: bool = False, check_wish: bool = False) -> None:
        """Build the forms from the raw values. They show errors only for what is checked."""
        language = self.article.language
        title, wish = (self.top if check else None for check in (check_outline, check_wish))
        self.title_form = TitleForm(language, data=title, initial=self.top)
        self.wish_form = WishForm(data=wish, initial=self.top)
        self.sections = [
            SectionForm(
                number, language, self.passages, self.findings, data=row if check_outline else None, initial=row
            )
            for number, row in enumerate(self.rows, 1)
        ]
        for section, share in zip(self.sections, self.shares, strict=True):
            section.fields["words"].widget.attrs["placeholder"] = str(share)

    @property
    def empty_section(self) -> SectionForm:
        return SectionForm("new", self.article.language, self.passages, self.findings)

    @property
    def dismissed(self) -> list[tuple[str, str]]:
        """The findings the plan leaves out, with the reasons."""
        known, left_out = self.findings, self.waiting.dismissed if self.waiting else []
        return [(known[each.finding].statement, each.reason) for each in left_out if each.finding in known]

    @property
    def places(self) -> dict[int, int]:
        """Number of a section of the waiting outline → its number now, without the sections that were removed."""
        places: dict[int, int] = {}
        for number, row in enumerate(self.rows, 1):
            if planned_as := number_or_zero(row["planned_as"]):
                places.setdefault(planned_as, number)
        return places

    @property
    def seen_seq(self) -> int | None:
        """The article's newest event when the page was opened."""
        return event_number(self.top["seen_seq"])

    @property
    def shares(self) -> list[int]:
        """The words of each section; empty ones share what the others leave."""
        return section_words([row["words"] for row in self.rows], self.article.min_words)

    @property
    def total(self) -> int:
        return sum(self.shares)

    # The actions of its buttons

    def rearrange(self, action: str) -> None:
        """``up-3``, ``down-3``, ``remove-3``, ``add`` or ``share``; anything else changes nothing."""
        verb, _, number = action.partition("-")
        at = number_or_zero(number) - 1
        to = at + {"up": -1, "down": 1}.get(verb, 0)
        places = range(len(self.rows))
        if verb == "add" and len(self.rows) < MAX_SECTIONS:
            self.rows.append(dict.fromkeys(FIELDS, "") | {"layout": "prose"})
        elif verb == "share":
            self.rows = [{**row, "words": ""} for row in self.rows]
        elif verb == "remove" and at in places and len(self.rows) > MIN_SECTIONS:
            del self.rows[at]
        elif at in places and to in places:
            self.rows.insert(to, self.rows.pop(at))
        self.build_forms()

    def outline(self) -> Outline | None:
        """The outline as typed; None if it is invalid, and then the forms have the errors."""
        self.build_forms(check_outline=True)
        if not MIN_SECTIONS <= len(self.rows) <= MAX_SECTIONS:
            self.problem = f"An article has {MIN_SECTIONS} to {MAX_SECTIONS} sections."
        elif wrong := self.invalid_parts():
            self.problem = f"Please fix {get_text_list(wrong, 'and')}."
        if self.problem:
            return None
        sections = [section.section() for section in self.sections]
        top = self.title_form.cleaned_data
        return Outline(
            title=top["title"],
            answer=top["answer"],
            position=top["position"],
            questions=moved_with_sections(self.waiting.questions, self.places) if self.waiting else [],
            terms=moved_with_sections(self.waiting.terms, self.places) if self.waiting else [],
            sections=sections,
        )

    def invalid_parts(self) -> list[str]:
        """The parts with invalid fields, in words."""
        wrong = [] if self.title_form.is_valid() else [" and ".join(f"the {name}" for name in self.title_form.errors)]
        return wrong + [f"section {section.number}" for section in self.sections if not section.is_valid()]

    def wish(self) -> str | None:
        """What a new outline should do differently; None if it is empty, and then the form has the error."""
        self.build_forms(check_wish=True)
        return str(self.wish_form.cleaned_data["wish"]) if self.wish_form.is_valid() else None


def section_words(typed: Iterable[str], requested: int) -> list[int]:
    """The words of each section from what was typed; empty or invalid ones share what the others leave of ``requested``."""
    return distribute_words([number_or_zero(text) for text in typed], requested)


def section_row(number: int, section: OutlineSection) -> Row:
    """A section's fields as first shown. Words outside the allowed range are left empty."""
    return {
        "planned_as": str(number),
        "heading": section.heading,
        "purpose": section.purpose,
        "layout": section.form,
        "points": "\n".join(section.points),
        "findings": " ".join(map(str, section.findings)),
        "words": str(section.words) if MIN_SECTION_WORDS <= section.words <= MAX_SECTION_WORDS else "",
        "sources": ", ".join(section.sources),
    }


def passage_ids(text: str) -> list[str]:
    """``S3, s7`` → ``["S3", "S7"]``, without repetitions."""
    return list(dict.fromkeys(word.upper() for word in re.split(r"[\s,;]+", text) if word))


def finding_numbers(text: str, known: Mapping[int, Finding]) -> list[int]:
    """``2 7`` → ``[2, 7]``: the numbers of known findings, without repetitions."""
    return [number for number in dict.fromkeys(map(number_or_zero, text.split())) if number in known]


def event_number(text: str) -> int | None:
    """The number of an event; None if ``text`` is none."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 10 else None


def nonblank_lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def number_or_zero(text: str) -> int:
    """``text`` as a whole number of up to four digits; else 0."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 4 else 0
