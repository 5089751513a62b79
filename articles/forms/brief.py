"""The brief: what is asked for, and the sources that come with it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import URLValidator

from agents.contract import MAX_TOPIC, MAX_WORDS, MIN_TOPIC, MIN_WORDS
from articles.forms.fields import DocumentsField, LimitedCharField, NumberField, SuggestionInput, VoiceField
from articles.forms.languages import LANGUAGES
from articles.services import DOCUMENTS, NewSource

TONES = ("professional", "friendly", "conversational", "authoritative", "journalistic", "academic", "playful")
AUDIENCES = ("general", "beginners", "professionals in the field", "executives", "developers", "students", "parents")

MAX_KEYWORDS, MAX_KEYWORD = 20, 100
MAX_PASTED = 200_000
"""Characters of one pasted text: about 30,000 words. Longer texts are better uploaded as documents."""


class BriefForm(forms.Form):
    """``brief()`` is what ``services.create_article`` takes; ``sources()`` are web pages and documents."""

    topic = LimitedCharField(
        min_length=MIN_TOPIC,
        limit=MAX_TOPIC,
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
        initial=1000,
        widget=forms.NumberInput(attrs={"step": 50}),
    )
    language = forms.ChoiceField(
        choices=list(LANGUAGES.items()),
        initial="en",
        error_messages=dict.fromkeys(("required", "invalid_choice"), "Choose a language from the list."),
    )
    tone = LimitedCharField(
        limit=100,
        initial=TONES[0],
        widget=SuggestionInput(TONES),
        error_messages={"required": "Enter a tone, such as “friendly”."},
    )
    target_audience = LimitedCharField(
        label="Audience",
        limit=200,
        initial=AUDIENCES[0],
        widget=SuggestionInput(AUDIENCES),
        error_messages={"required": "Enter an audience, such as “beginners”."},
    )
    voice = VoiceField(empty_label="No voice", help_text="The style the article is written in.")
    keywords = forms.CharField(required=False, help_text="Separate keywords with commas.")
    notes = LimitedCharField(
        required=False,
        limit=5000,
        help_text="Anything else to keep in mind: the angle, what to leave out, names to get right.",
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    include_image = forms.BooleanField(required=False, initial=True, label="Cover image")
    seo_optimize = forms.BooleanField(required=False, initial=True, label="SEO title, description and keywords")
    approve_outline = forms.BooleanField(required=False, label="Review the outline first")
    allow_uncited = forms.BooleanField(required=False, initial=True, label="Write even if no source can be read")
    addresses = forms.CharField(
        required=False,
        label="Web pages",
        help_text="One URL per line.",
        widget=forms.Textarea(attrs={"rows": 3, "placeholder": "https://example.org/report", "spellcheck": "false"}),
    )
    documents = DocumentsField(
        required=False,
        help_text=f"{', '.join(DOCUMENTS)}, up to {settings.UPLOAD_MAX_BYTES // 1024 // 1024} MB each.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.is_bound:  # a form with errors gives the focus to their summary
            self.fields["topic"].widget.attrs["autofocus"] = True

    def clean_keywords(self) -> list[str]:
        words = [word.strip() for word in self.cleaned_data["keywords"].split(",") if word.strip()]
        if len(words) > MAX_KEYWORDS:
            raise ValidationError(f"Use at most {MAX_KEYWORDS} keywords.")
        if any(len(word) > MAX_KEYWORD for word in words):
            raise ValidationError(f"Use at most {MAX_KEYWORD} characters per keyword. Separate keywords with commas.")
        return words

    def clean_addresses(self) -> list[str]:
        addresses = [line.strip() for line in self.cleaned_data["addresses"].splitlines() if line.strip()]
        valid = URLValidator(schemes=["http", "https"])
        problems = []
        for address in addresses:
            try:
                valid(address)
            except ValidationError:
                problems.append(f"“{address[:80]}” is not a URL. Enter it in full, such as https://example.org/page.")
        if problems:
            raise ValidationError(problems)
        return addresses

    def brief(self) -> dict[str, Any]:
        return {name: value for name, value in self.cleaned_data.items() if name not in ("addresses", "documents")}

    def sources(self) -> list[NewSource]:
        pages = [NewSource(url=address) for address in self.cleaned_data["addresses"]]
        return [*pages, *(NewSource(upload=document) for document in self.cleaned_data["documents"])]

    @property
    def has_keywords_or_notes(self) -> bool:
        """Whether the two optional fields have a value or an error, so that they are shown unfolded."""
        fields = self["keywords"], self["notes"]
        return any(field.value() or field.errors for field in fields)


class PastedTextForm(forms.Form):
    """A pasted text to be read as a source. An empty one is ignored."""

    title = LimitedCharField(required=False, limit=300, label="Title (optional)")
    text = LimitedCharField(
        required=False,
        limit=MAX_PASTED,
        label="Pasted text",
        widget=forms.Textarea(attrs={"rows": 5, "placeholder": "Paste notes, an interview, a report …"}),
    )


class BasePastedTexts(forms.BaseFormSet):  # type: ignore[type-arg]  # cannot be subscripted at run time
    default_error_messages = {
        **forms.BaseFormSet.default_error_messages,
        "too_many_forms": "Use at most %(num)d pasted texts.",
        "missing_management_form": "The form arrived incomplete. Reload the page and send it again.",
    }


PastedTexts = forms.formset_factory(
    PastedTextForm,
    formset=BasePastedTexts,
    extra=1,
    max_num=settings.MAX_SOURCES,
    absolute_max=settings.MAX_SOURCES,
    validate_max=True,
)


def pasted_sources(texts: forms.BaseFormSet[PastedTextForm]) -> list[NewSource]:
    """The texts of a valid formset that are not blank."""
    filled = (form.cleaned_data for form in texts if form.cleaned_data.get("text", "").strip())
    return [NewSource(title=text["title"], text=text["text"]) for text in filled]


def invalid_fields(form: BriefForm, texts: forms.BaseFormSet[PastedTextForm]) -> list[tuple[str, str]]:
    """Label and element id of each field with an error, in the order of the page."""
    fields = [(str(field.label), str(field.id_for_label)) for field in form if field.errors]
    if texts.is_bound:
        for number, text in enumerate(texts, 1):
            fields += [
                (f"{field.label} {number}" if len(texts.forms) > 1 else str(field.label), str(field.id_for_label))
                for field in text
                if field.errors
            ]
    return fields
