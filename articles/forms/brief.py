"""The brief as it is typed on its page, with its sources. ``manage.py write`` uses the same form.

The forms have widgets, labels and messages. What a brief may contain is defined by ``services.BriefInput``.
"""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from agents.contract import MAX_WORDS, MIN_TOPIC, MIN_WORDS
from articles.exceptions import InvalidInput, InvalidSource
from articles.forms.fields import (
    DocumentsField,
    LanguageSelect,
    LimitedCharField,
    NumberField,
    SuggestionInput,
    VoiceField,
)
from articles.models import Article
from articles.services import (
    DOCUMENT_SUFFIXES,
    BriefInput,
    NewSource,
    check_text_total,
    check_total,
    field_limits,
)

TONES = ("professional", "friendly", "conversational", "authoritative", "journalistic", "academic", "playful")
AUDIENCES = ("general", "beginners", "professionals in the field", "executives", "developers", "students", "parents")

PLACED = ("topic", "min_words", "language", "tone", "target_audience", "voice", "writing", "allow_uncited")
"""Fields that have a place of their own on the page. Others follow by themselves."""


def limited(field: str, **options: Any) -> LimitedCharField:
    """A text field with the limits that the brief has."""
    least, most = field_limits(field)
    return LimitedCharField(min_length=least or None, limit=most, initial=default_of(field), **options)


def switch(field: str, label: str, help_text: str) -> forms.BooleanField:
    return forms.BooleanField(required=False, initial=default_of(field), label=label, help_text=help_text)


def default_of(field: str) -> Any:
    rule = BriefInput.model_fields[field]
    return None if rule.is_required() else rule.get_default(call_default_factory=True)


class BriefForm(forms.Form):
    """A valid form has a ``brief``; ``sources()`` are its web pages and documents."""

    topic = limited(
        "topic",
        help_text="What is the article about? A full sentence works best.",
        widget=forms.Textarea(attrs={"rows": 2, "placeholder": "How cities can put their flat roofs to use"}),
        error_messages={
            "required": "Enter a topic.",
            "min_length": f"Use at least {MIN_TOPIC} characters to describe the topic.",
        },
    )
    min_words = NumberField(
        label="Words",
        min_value=MIN_WORDS,
        max_value=MAX_WORDS,
        initial=default_of("min_words"),
        widget=forms.NumberInput(attrs={"step": 50}),
    )
    language = forms.CharField(
        initial=default_of("language"), widget=LanguageSelect, error_messages={"required": "Choose a language."}
    )
    tone = limited(
        "tone",
        widget=SuggestionInput(TONES),
        error_messages={"required": "Enter a tone, such as “friendly”."},
    )
    target_audience = limited(
        "target_audience",
        label="Audience",
        widget=SuggestionInput(AUDIENCES),
        error_messages={"required": "Enter an audience, such as “beginners”."},
    )
    voice = VoiceField(empty_label="No voice", help_text="The style the article is written in.")
    keywords = forms.CharField(required=False, help_text="Separate keywords with commas.")
    notes = limited(
        "notes",
        required=False,
        help_text="Anything else to keep in mind: the angle, what to leave out, names to get right.",
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    include_image = switch("include_image", "Cover image", "Includes alt text")
    seo_optimize = switch("seo_optimize", "SEO", "Title, description, slug and keywords")
    writing = forms.ChoiceField(
        choices=Article.Writing.choices, initial=default_of("writing"), label="Writing", widget=forms.RadioSelect
    )
    approve_outline = switch("approve_outline", "Review the outline first", "Writing starts once you approve it")
    allow_uncited = switch(
        "allow_uncited",
        "Write even if no source can be read",
        "The article will have no citations. If this is off, the run stops instead.",
    )
    addresses = forms.CharField(
        required=False,
        label="Web pages",
        help_text="One URL per line.",
        widget=forms.Textarea(attrs={"rows": 3, "placeholder": "https://example.org/report", "spellcheck": "false"}),
    )
    documents = DocumentsField(
        required=False,
        help_text=f"{', '.join(DOCUMENT_SUFFIXES)}, up to {settings.UPLOAD_MAX_BYTES // 1024 // 1024} MB each.",
    )

    brief: BriefInput

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.is_bound:  # a form with errors gives the focus to their summary
            self.fields["topic"].widget.attrs["autofocus"] = True

    def clean_keywords(self) -> list[str]:
        return [word for word in map(str.strip, self.cleaned_data["keywords"].split(",")) if word]

    def clean_addresses(self) -> list[NewSource]:
        sources, problems = [], []
        for address in filter(None, map(str.strip, self.cleaned_data["addresses"].splitlines())):
            try:
                sources.append(NewSource.parse({"url": address}))
            except InvalidInput as error:
                (message,) = error.fields["url"]
                problems.append(f"“{address[:80]}” {message[:1].lower()}{message[1:]}")
        if problems:
            raise ValidationError(problems)
        return sources

    def clean(self) -> dict[str, Any]:
        values = {name: value for name, value in self.cleaned_data.items() if name in BriefInput.model_fields}
        if voice := values.get("voice"):
            values["voice"] = voice.name
        try:
            self.brief = BriefInput.parse(values)
        except InvalidInput as error:
            for field, messages in error.fields.items():
                if field not in self.errors:
                    self.add_error(field, messages)
        return self.cleaned_data

    def sources(self) -> list[NewSource]:
        return [*self.cleaned_data["addresses"], *(NewSource(upload=file) for file in self.cleaned_data["documents"])]

    @property
    def more_inputs(self) -> list[forms.BoundField]:
        return [self[name] for name in BriefInput.model_fields if name not in PLACED and not self.is_switch(name)]

    @property
    def more_inputs_are_used(self) -> bool:
        """Whether one of them has a value or an error, so that they are shown unfolded."""
        return any(field.value() or field.errors for field in self.more_inputs)

    @property
    def switches(self) -> list[forms.BoundField]:
        return [self[name] for name in BriefInput.model_fields if name not in PLACED and self.is_switch(name)]

    def is_switch(self, name: str) -> bool:
        return isinstance(self.fields[name], forms.BooleanField)


class PastedTextForm(forms.Form):
    """A pasted text to be read as a source, and where it was published. Without a text there is no ``source``."""

    title = LimitedCharField(required=False, limit=300, label="Title (optional)")
    text = LimitedCharField(
        required=False,
        limit=settings.MAX_PASTED_CHARACTERS,
        label="Pasted text",
        widget=forms.Textarea(attrs={"rows": 5, "placeholder": "Paste notes, an interview, a report …"}),
    )
    url = LimitedCharField(
        required=False,
        limit=2000,
        label="Link",
        help_text="The address of the text. It is cited, not read.",
        widget=forms.URLInput(attrs={"placeholder": "https://example.org/report"}),
    )
    kind = LimitedCharField(required=False, limit=80, label="Kind, such as study, press release or own notes")
    publisher = LimitedCharField(required=False, limit=200)
    author = LimitedCharField(required=False, limit=200)
    date = LimitedCharField(
        required=False,
        limit=10,
        label="Published",
        help_text="A day, a month or a year: 2024-05-31, 2024-05 or 2024.",
    )

    source: NewSource | None = None

    def clean(self) -> dict[str, Any]:
        if self.errors:
            return self.cleaned_data
        if self.cleaned_data["url"] and not self.cleaned_data["text"]:
            self.add_error("text", "Paste the text, or enter its link under “Web pages” to have it read.")
        elif self.cleaned_data["text"]:
            try:
                self.source = NewSource.parse(self.cleaned_data | {"url": self.cleaned_data["url"] or None})
            except InvalidInput as error:
                for field, messages in error.fields.items():
                    self.add_error(field or "text", messages)
        return self.cleaned_data

    @property
    def details(self) -> list[forms.BoundField]:
        return [self[name] for name in ("url", "kind", "publisher", "author", "date")]

    @property
    def details_are_used(self) -> bool:
        """Whether one of them has a value or an error, so that they are shown unfolded."""
        return any(field.value() or field.errors for field in self.details)


class BasePastedTexts(forms.BaseFormSet):  # type: ignore[type-arg]  # cannot be subscripted at run time
    default_error_messages = {
        **forms.BaseFormSet.default_error_messages,
        "too_many_forms": "Use at most %(num)d pasted texts.",
        "missing_management_form": "The form arrived incomplete. Reload the page and send it again.",
    }

    def clean(self) -> None:
        try:
            check_text_total(len(source.text) for source in self.sources())
        except InvalidSource as error:
            self.forms[-1].add_error("text", str(error))

    def sources(self) -> list[NewSource]:
        return [form.source for form in self.forms if form.source]


PastedTexts = forms.formset_factory(
    PastedTextForm,
    formset=BasePastedTexts,
    extra=1,
    max_num=settings.MAX_SOURCES,
    absolute_max=settings.MAX_SOURCES,
    validate_max=True,
)


class BriefSubmission:
    """The brief form and its pasted texts: sent, validated and shown together.

    ``stored_sources`` is how many sources the article keeps that is written again.
    """

    def __init__(self, request: HttpRequest, *, initial: dict[str, Any] | None = None, stored_sources: int = 0) -> None:
        data, files = (request.POST, request.FILES) if request.method == "POST" else (None, None)
        self.form = BriefForm(data, files, initial=initial)
        self.texts = cast(BasePastedTexts, PastedTexts(data, prefix="text"))
        self.stored_sources = stored_sources

    def is_valid(self) -> bool:
        """Checks both forms, then the limit on sources of all kinds together."""
        if not all([self.form.is_valid(), self.texts.is_valid()]):
            return False
        try:
            check_total(self.sources(), stored=self.stored_sources)
        except InvalidSource as error:
            self.form.add_error("documents" if self.form.cleaned_data["documents"] else "addresses", str(error))
            return False
        return True

    def sources(self) -> list[NewSource]:
        return [*self.texts.sources(), *self.form.sources()]

    def invalid_fields(self) -> list[tuple[str, str]]:
        """Label and element id of each field with an error, in the order of the page."""
        fields = [(str(field.label), str(field.id_for_label)) for field in self.form if field.errors]
        if self.texts.is_bound:
            for number, text in enumerate(self.texts, 1):
                suffix = f" {number}" if len(self.texts.forms) > 1 else ""
                fields += [(f"{field.label}{suffix}", str(field.id_for_label)) for field in text if field.errors]
        return fields
