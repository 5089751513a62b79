"""What people type: the brief with its sources, the text, the list's filters, the name of a key."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.core.validators import URLValidator
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from agents.contract import MAX_TOPIC, MAX_WORDS, MIN_TOPIC, MIN_WORDS
from articles.exceptions import InvalidSource, UnknownVoice
from articles.forms.languages import LANGUAGES
from articles.models import Status, Voice
from articles.services import DOCUMENTS, NewSource, check_document

TONES = ("professional", "friendly", "conversational", "authoritative", "journalistic", "academic", "playful")
AUDIENCES = ("general", "beginners", "professionals in the field", "executives", "developers", "students", "parents")

MAX_KEYWORDS, MAX_KEYWORD = 20, 100
MAX_PASTED = 200_000
"""Characters of one pasted text: a book of 30,000 words. Longer ones are better uploaded."""
MAX_CONTENT = 200_000

ORDERS = {
    "newest": ("Newest first", ("-created_at", "-id")),
    "oldest": ("Oldest first", ("created_at", "id")),
    "changed": ("Last changed", ("-updated_at", "-id")),
    "title": ("Title", ("title", "topic", "id")),
}


class SuggestionInput(forms.TextInput):
    """A text field that offers ``suggestions`` and takes anything."""

    def __init__(self, suggestions: Iterable[str]) -> None:
        super().__init__()
        self.suggestions = suggestions

    def render(self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None) -> SafeString:
        field = super().render(name, value, {**(attrs or {}), "list": f"{name}-suggestions"}, renderer)
        options = format_html_join("", '<option value="{}"></option>', ((text,) for text in self.suggestions))
        return format_html('{}<datalist id="{}-suggestions">{}</datalist>', field, name, options)


class DocumentsInput(forms.ClearableFileInput):
    allow_multiple_selected = True


class DocumentsField(forms.FileField):
    """Several uploaded documents, each checked: ``cleaned`` is a list."""

    widget = DocumentsInput(attrs={"accept": ",".join(DOCUMENTS)})

    def clean(self, data: Any, initial: Any = None) -> Any:
        documents: list[UploadedFile[bytes]] = [document for document in data or [] if document]
        problems: list[str] = []
        for document in documents:
            try:
                check_document(document)
            except InvalidSource as error:
                problems.append(str(error))
        if problems:
            raise ValidationError(problems)
        return documents


class VoiceField(forms.ModelChoiceField):  # type: ignore[type-arg]  # Django's cannot be subscripted at run time
    """A voice by its name; none where it is left empty."""

    def __init__(self, **options: Any) -> None:
        super().__init__(Voice.objects.only("name"), to_field_name="name", required=False, **options)

    def to_python(self, value: Any) -> Voice | None:
        try:
            return Voice.objects.named(value) if value else None
        except UnknownVoice as error:
            raise ValidationError(str(error)) from error


class BriefForm(forms.Form):
    """What is asked for. ``brief()`` is what ``services.create_article`` takes; ``sources()`` are pages and documents."""

    topic = forms.CharField(
        min_length=MIN_TOPIC,
        max_length=MAX_TOPIC,
        help_text="What is the article about? A sentence is best.",
        widget=forms.Textarea(attrs={"rows": 2, "placeholder": "How cities can put their flat roofs to use"}),
    )
    min_words = forms.IntegerField(
        label="Words",
        min_value=MIN_WORDS,
        max_value=MAX_WORDS,
        initial=1000,
        widget=forms.NumberInput(attrs={"step": 50}),
    )
    language = forms.ChoiceField(choices=list(LANGUAGES.items()), initial="en")
    tone = forms.CharField(max_length=100, initial=TONES[0], widget=SuggestionInput(TONES))
    target_audience = forms.CharField(
        label="Audience", max_length=200, initial=AUDIENCES[0], widget=SuggestionInput(AUDIENCES)
    )
    voice = VoiceField(empty_label="None in particular", help_text="Whose manner of writing the article takes on.")
    keywords = forms.CharField(required=False, help_text="Separated by commas.")
    notes = forms.CharField(
        required=False,
        max_length=5000,
        help_text="Anything the crew should keep in mind: an angle, what to leave out, names to get right.",
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    include_image = forms.BooleanField(required=False, initial=True, label="Cover image")
    seo_optimize = forms.BooleanField(required=False, initial=True, label="SEO title, description and keywords")
    approve_outline = forms.BooleanField(required=False, label="Show me the outline before it is written")
    allow_uncited = forms.BooleanField(
        required=False, initial=True, label="Write without citations where nothing could be read"
    )
    addresses = forms.CharField(
        required=False,
        label="Web pages",
        help_text="One address a line.",
        widget=forms.Textarea(attrs={"rows": 3, "placeholder": "https://example.org/report", "spellcheck": "false"}),
    )
    documents = DocumentsField(required=False, help_text=f"{', '.join(DOCUMENTS)}, up to 15 MB each.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.is_bound:  # what comes back with errors is read from its list of them
            self.fields["topic"].widget.attrs["autofocus"] = True

    def clean_keywords(self) -> list[str]:
        words = [word.strip() for word in self.cleaned_data["keywords"].split(",") if word.strip()]
        if len(words) > MAX_KEYWORDS:
            raise ValidationError(f"Give up to {MAX_KEYWORDS} keywords.")
        if any(len(word) > MAX_KEYWORD for word in words):
            raise ValidationError(f"A keyword has up to {MAX_KEYWORD} characters. Separate them by commas.")
        return words

    def clean_addresses(self) -> list[str]:
        addresses = [line.strip() for line in self.cleaned_data["addresses"].splitlines() if line.strip()]
        valid = URLValidator(schemes=["http", "https"])
        problems = []
        for address in addresses:
            try:
                valid(address)
            except ValidationError:
                problems.append(
                    f"“{address[:80]}” is not a web address. Give it in full, such as https://example.org/page."
                )
        if problems:
            raise ValidationError(problems)
        return addresses

    def brief(self) -> dict[str, Any]:
        return {name: value for name, value in self.cleaned_data.items() if name not in ("addresses", "documents")}

    def sources(self) -> list[NewSource]:
        pages = [NewSource(url=address) for address in self.cleaned_data["addresses"]]
        return [*pages, *(NewSource(upload=document) for document in self.cleaned_data["documents"])]


class PastedTextForm(forms.Form):
    """A text of the person's own, to be read as a source. Left empty, it is none."""

    title = forms.CharField(required=False, max_length=300, label="Title of the text")
    text = forms.CharField(
        required=False,
        max_length=MAX_PASTED,
        label="Text",
        widget=forms.Textarea(attrs={"rows": 5, "placeholder": "Paste notes, an interview, a report …"}),
    )


PastedTexts = forms.formset_factory(
    PastedTextForm, extra=1, max_num=settings.MAX_SOURCES, absolute_max=settings.MAX_SOURCES, validate_max=True
)


def pasted_sources(texts: forms.BaseFormSet[PastedTextForm]) -> list[NewSource]:
    """The texts of a valid formset that are not blank."""
    given = (form.cleaned_data for form in texts if form.cleaned_data.get("text", "").strip())
    return [NewSource(title=given_text["title"], text=given_text["text"]) for given_text in given]


class TextForm(forms.Form):
    """The article's text in an editor. ``opened_at`` is the number of the revision it was opened at, 0 for none."""

    title = forms.CharField(max_length=300)
    content = forms.CharField(max_length=MAX_CONTENT, strip=False, label="Text (Markdown)", widget=forms.Textarea)
    opened_at = forms.IntegerField(min_value=0, widget=forms.HiddenInput)

    def clean_content(self) -> str:
        """Browsers send line ends as CR LF; the studio keeps LF."""
        content: str = self.cleaned_data["content"].replace("\r\n", "\n")
        if not content.strip():
            raise ValidationError("An article needs a text. To remove it altogether, delete the article.")
        return content


class ListForm(forms.Form):
    """The list's filters. What is not known counts as not asked for."""

    q = forms.CharField(required=False, label="Search", widget=forms.SearchInput)
    status = forms.ChoiceField(required=False, choices=[("", "Any status"), *Status.choices])
    order = forms.ChoiceField(required=False, choices=[(key, label) for key, (label, _) in ORDERS.items()])

    def value_of(self, name: str) -> str:
        self.is_valid()
        return str(self.cleaned_data.get(name, ""))


class ApiKeyForm(forms.Form):
    name = forms.CharField(
        max_length=100,
        help_text="What it is for, so that you know which one to revoke.",
        widget=forms.TextInput(attrs={"placeholder": "Newsletter script", "autocomplete": "off"}),
    )
