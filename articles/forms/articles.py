"""Forms of an article's text, of the article list and of API keys."""

from __future__ import annotations

from django import forms
from django.core.exceptions import ValidationError

from articles.forms.fields import LimitedCharField
from articles.models import Status
from articles.services import MAX_CONTENT

ORDERS = {"newest": "Newest first", "oldest": "Oldest first", "changed": "Last updated", "title": "Title"}
"""Labels of the orders of ``ArticleQuerySet.in_order``."""


class TextForm(forms.Form):
    """The article's text in an editor. ``opened_at`` is the number of the revision it was opened at, 0 for none."""

    title = LimitedCharField(limit=300, error_messages={"required": "Enter a title."})
    content = LimitedCharField(
        limit=MAX_CONTENT,
        strip=False,
        label="Text (Markdown)",
        widget=forms.Textarea,
        error_messages={"required": "An article needs a text. To remove the article, delete it."},
    )
    opened_at = forms.IntegerField(min_value=0, widget=forms.HiddenInput)
    version = forms.UUIDField(required=False, widget=forms.HiddenInput)  # of the draft that was opened

    def clean_content(self) -> str:
        """Browsers send line ends as CR LF; the studio stores LF."""
        content: str = self.cleaned_data["content"].replace("\r\n", "\n")
        if not content.strip():
            raise ValidationError("An article needs a text. To remove the article, delete it.")
        return content


class VersionForm(forms.Form):
    """Names a draft by its version."""

    version = forms.UUIDField(required=False)


class UnsavedForm(VersionForm):
    """A text as it is typed, complete or not."""

    title = forms.CharField(required=False, strip=False)
    content = forms.CharField(required=False, strip=False)
    opened_at = forms.IntegerField(min_value=0)

    def clean_content(self) -> str:
        content: str = self.cleaned_data["content"]
        return content.replace("\r\n", "\n")


class ListForm(forms.Form):
    """The list's filters. Unknown values are ignored."""

    q = forms.CharField(required=False, label="Search", widget=forms.SearchInput)
    status = forms.ChoiceField(required=False, choices=[("", "Any status"), *Status.choices])
    order = forms.ChoiceField(required=False, choices=list(ORDERS.items()))

    def value_of(self, name: str) -> str:
        self.is_valid()
        return str(self.cleaned_data.get(name, ""))


class ApiKeyForm(forms.Form):
    name = LimitedCharField(
        limit=100,
        help_text="What the key is for, so that you know which one to revoke.",
        widget=forms.TextInput(attrs={"placeholder": "Newsletter script", "autocomplete": "off"}),
        error_messages={"required": "Enter a name."},
    )
    days = forms.TypedChoiceField(
        label="Valid for",
        required=False,
        coerce=int,
        empty_value=None,
        choices=[("30", "30 days"), ("90", "90 days"), ("365", "1 year"), ("", "No end date")],
        initial="365",
    )
    read_only = forms.BooleanField(required=False, label="Read only", help_text="It can read, but change nothing.")
