"""Form fields and widgets the studio adds to Django's."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from articles.exceptions import UnknownVoice
from articles.forms.languages import LANGUAGES
from articles.models import Voice
from articles.services import DOCUMENT_SUFFIXES, document_problems


class SuggestionInput(forms.TextInput):
    """A text input that suggests values and accepts any."""

    def __init__(self, suggestions: Iterable[str]) -> None:
        super().__init__()
        self.suggestions = suggestions

    def render(self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None) -> SafeString:
        field = super().render(name, value, {**(attrs or {}), "list": f"{name}-suggestions"}, renderer)
        options = format_html_join("", '<option value="{}"></option>', ((text,) for text in self.suggestions))
        return format_html('{}<datalist id="{}-suggestions">{}</datalist>', field, name, options)


class LimitedCharField(forms.CharField):
    """A text with a length limit that browsers show as a counter.

    Unlike ``max_length``, it renders no ``maxlength`` attribute: browsers cut a pasted text at that length without a word.
    """

    def __init__(self, *, limit: int, **options: Any) -> None:
        super().__init__(**options)
        self.limit = limit
        self.validators.append(self._check_length)
        self.widget.attrs["data-limit"] = str(limit)

    def to_python(self, value: Any) -> Any:
        """Browsers send line ends as CR LF, but count them as one character."""
        text = super().to_python(value)
        return text.replace("\r\n", "\n") if text else text

    def _check_length(self, value: str) -> None:
        if len(value) > self.limit:
            raise ValidationError(f"Use at most {self.limit:,} characters. This has {len(value):,}.", code="max_length")


class NumberField(forms.IntegerField):
    """A whole number in a range, with messages that name the range."""

    def __init__(self, *, min_value: int, max_value: int, **options: Any) -> None:
        message = f"Enter a whole number from {min_value:,} to {max_value:,}."
        messages = dict.fromkeys(("required", "invalid", "min_value", "max_value"), message)
        super().__init__(min_value=min_value, max_value=max_value, error_messages=messages, **options)


class LanguageSelect(forms.Select):
    """Offers common languages, and keeps another tag that a brief has."""

    def optgroups(self, name: str, value: list[str], attrs: dict[str, Any] | None = None) -> list[Any]:
        other = [(tag, tag) for tag in value if tag and tag not in LANGUAGES]
        self.choices = [*LANGUAGES.items(), *other]
        return super().optgroups(name, value, attrs)


class DocumentsInput(forms.ClearableFileInput):
    allow_multiple_selected = True


class DocumentsField(forms.FileField):
    """Several uploaded documents, each of which is opened: ``cleaned`` is a list."""

    widget = DocumentsInput(attrs={"accept": ",".join(DOCUMENT_SUFFIXES)})

    def clean(self, data: Any, initial: Any = None) -> Any:
        documents: list[UploadedFile[bytes]] = [document for document in data or [] if document]
        if problems := document_problems(documents):
            raise ValidationError(problems)
        return documents


class VoiceField(forms.ModelChoiceField):  # type: ignore[type-arg]  # Django's cannot be subscripted at run time
    """A voice by its name, or None."""

    def __init__(self, **options: Any) -> None:
        super().__init__(Voice.objects.only("name"), to_field_name="name", required=False, **options)

    def to_python(self, value: Any) -> Voice | None:
        try:
            return Voice.objects.named(value) if value else None
        except UnknownVoice as error:
            raise ValidationError(str(error)) from error
