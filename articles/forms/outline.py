"""The outline editor: a title, and sections in the order in which the browser submits them.

Every section has the same five unnumbered fields. Browsers submit fields in the order of the page (HTML, "Constructing the
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

from agents.contract import MAX_HEADING, MAX_SECTIONS, Outline, OutlineSection
from articles.forms.fields import LimitedCharField, NumberField
from articles.models import Article
from articles.services import MAX_SECTION_WORDS, MIN_SECTION_WORDS, distribute_words, passages_by_id

MIN_SECTIONS = 2
MAX_PURPOSE, MAX_POINT, MAX_POINTS, MAX_PASSAGES, MAX_WISH = 500, 300, 12, 20, 1000
FIELDS = ("heading", "purpose", "points", "words", "sources")

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
    language_fields = ("title",)

    title = LimitedCharField(
        min_length=5,
        limit=MAX_HEADING,
        error_messages={"required": "Enter a title.", "min_length": "Use at least 5 characters."},
    )


class WishForm(forms.Form):
    wish = LimitedCharField(
        limit=MAX_WISH,
        label="What should change?",
        widget=forms.Textarea(attrs={"rows": 2, "placeholder": "Start with the costs and leave out the history."}),
        error_messages={"required": "Say what should change."},
    )


class SectionForm(LanguageForm):
    """A section. Empty ``words`` get a share of the rest; ``sources`` are passage ids with any separator."""

    language_fields = ("heading", "purpose", "points")

    heading = LimitedCharField(
        min_length=2,
        limit=MAX_HEADING,
        error_messages={"required": "Enter a heading.", "min_length": "Use at least 2 characters."},
    )
    purpose = LimitedCharField(required=False, limit=MAX_PURPOSE, widget=forms.Textarea(attrs={"rows": 2}))
    points = forms.CharField(required=False, label="Points, one per line", widget=forms.Textarea(attrs={"rows": 3}))
    words = NumberField(required=False, min_value=MIN_SECTION_WORDS, max_value=MAX_SECTION_WORDS)
    sources = forms.CharField(
        required=False,
        label="Sources used",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "placeholder": "S1, S2"}),
    )

    def __init__(self, number: int | str, language: str, passages: Mapping[str, str], **kwargs: Any) -> None:
        super().__init__(language, auto_id=f"%s-{number}", **kwargs)
        self.number, self.passages = number, passages

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

    def section(self) -> OutlineSection:
        return OutlineSection(**{**self.cleaned_data, "words": self.cleaned_data["words"] or 0})

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
        self.passages = passages_by_id(run) if run else {}
        self.problem = ""
        self.build_forms()

    @classmethod
    def from_article(cls, article: Article) -> OutlineEditor:
        """The outline the crew made. ``article`` is waiting for approval."""
        outline, run = Outline.model_validate(article.outline), article.latest_run()
        top = {"title": outline.title, "seen_seq": str(article.last_seq), "wish": run.outline_wish if run else ""}
        return cls(article, top, [section_row(section) for section in outline.sections])

    @classmethod
    def from_post(cls, article: Article, data: QueryDict) -> OutlineEditor:
        top = {name: data.get(name, "") for name in ("title", "seen_seq", "wish")}
        sent = zip_longest(*(data.getlist(name) for name in FIELDS), fillvalue="")
        return cls(article, top, [dict(zip(FIELDS, values, strict=True)) for values in sent])

    def build_forms(self, *, check_outline: bool = False, check_wish: bool = False) -> None:
        """Build the forms from the raw values. They show errors only for what is checked."""
        language = self.article.language
        title, wish = (self.top if check else None for check in (check_outline, check_wish))
        self.title_form = TitleForm(language, data=title, initial=self.top)
        self.wish_form = WishForm(data=wish, initial=self.top)
        self.sections = [
            SectionForm(number, language, self.passages, data=row if check_outline else None, initial=row)
            for number, row in enumerate(self.rows, 1)
        ]
        for section, share in zip(self.sections, self.shares, strict=True):
            section.fields["words"].widget.attrs["placeholder"] = str(share)

    @property
    def empty_section(self) -> SectionForm:
        return SectionForm("new", self.article.language, self.passages)

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
            self.rows.append(dict.fromkeys(FIELDS, ""))
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
        return Outline(title=self.title_form.cleaned_data["title"], sections=sections)

    def invalid_parts(self) -> list[str]:
        """The parts with invalid fields, in words."""
        wrong = [] if self.title_form.is_valid() else ["the title"]
        return wrong + [f"section {section.number}" for section in self.sections if not section.is_valid()]

    def wish(self) -> str | None:
        """What a new outline should do differently; None if it is empty, and then the form has the error."""
        self.build_forms(check_wish=True)
        return str(self.wish_form.cleaned_data["wish"]) if self.wish_form.is_valid() else None


def section_words(typed: Iterable[str], requested: int) -> list[int]:
    """The words of each section from what was typed; empty or invalid ones share what the others leave of ``requested``."""
    return distribute_words([number_or_zero(text) for text in typed], requested)


def section_row(section: OutlineSection) -> Row:
    """A section's fields as first shown. Words outside the allowed range are left empty."""
    return {
        "heading": section.heading,
        "purpose": section.purpose,
        "points": "\n".join(section.points),
        "words": str(section.words) if MIN_SECTION_WORDS <= section.words <= MAX_SECTION_WORDS else "",
        "sources": ", ".join(section.sources),
    }


def passage_ids(text: str) -> list[str]:
    """``S3, s7`` → ``["S3", "S7"]``, without repetitions."""
    return list(dict.fromkeys(word.upper() for word in re.split(r"[\s,;]+", text) if word))


def event_number(text: str) -> int | None:
    """The number of an event; None if ``text`` is none."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 10 else None


def nonblank_lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def number_or_zero(text: str) -> int:
    """``text`` as a whole number of up to four digits; else 0."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 4 else 0
