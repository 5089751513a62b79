"""Articles: the brief and the text can be edited, through the services; everything else is shown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from django import forms
from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.contrib.admin.widgets import AdminTextareaWidget, AdminTextInputWidget
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.timezone import localtime

from articles import services
from articles.admin.actions import DOWNLOADS, approve, cancel, keep_text, signed_in, try_again, write_again
from articles.admin.costs import CostColumn, with_costs
from articles.admin.history import RevisionInline, RunInline, SourceInline, as_json, latest_history
from articles.exceptions import EditConflict, InvalidInput, StudioError
from articles.forms.fields import LanguageSelect
from articles.models import Article, Event, Revision, Run, Source, Status
from articles.models.article import ArticleQuerySet

ROWS = (
    ("topic",),
    ("tone", "target_audience", "language", "voice"),
    ("min_words", "writing", "include_image", "seo_optimize"),
    ("approve_outline", "allow_uncited"),
)
BRIEF: tuple[str | tuple[str, ...], ...] = (
    *ROWS,
    *(name for name in services.BriefInput.model_fields if not any(name in row for row in ROWS)),
)
TEXT = ("title", "content")


class MarkdownField(forms.CharField):
    """Keeps surrounding whitespace, and converts the line ends that browsers send."""

    widget = AdminTextareaWidget

    def __init__(self, **options: Any) -> None:
        super().__init__(strip=False, **options)

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        return text.replace("\r\n", "\n") if text else text


class KeywordsField(forms.CharField):
    """A list of keywords, edited one per line: a keyword may contain a comma."""

    widget = AdminTextareaWidget

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        return [word for word in map(str.strip, (super().to_python(value) or "").splitlines()) if word]


class ArticleForm(forms.ModelForm):  # type: ignore[type-arg]  # Django's cannot be subscripted at run time
    """``opened_at`` is the number of the revision that is being edited, 0 if there is none."""

    topic = forms.CharField(widget=AdminTextInputWidget)
    language = forms.CharField(widget=LanguageSelect)
    keywords = KeywordsField(required=False, help_text="One keyword per line.")
    content = MarkdownField(required=False, help_text=Article._meta.get_field("content").help_text)
    opened_at = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["opened_at"] = newest_revision(self.instance)

    def clean(self) -> dict[str, Any]:
        """Refuses what the services would refuse. It holds until the request's transaction ends: see check_can_save."""
        cleaned = super().clean() or self.cleaned_data
        changes = {name: cleaned[name] for name in self.changed_data if name in cleaned}
        brief = {name: value for name, value in changes.items() if name in services.BriefInput.model_fields}
        try:
            if changes and "opened_at" in cleaned:
                self.merge_newer(cleaned)
            if brief:
                self.brief = services.BriefInput.of(self.instance, **as_input(brief))
            if changes.keys() & set(TEXT):
                services.TextInput.parse({name: cleaned.get(name) for name in TEXT})
        except InvalidInput as error:
            for field, messages in error.fields.items():
                self.add_error(field if field in self.fields else None, messages)
        except StudioError as error:
            self.add_error(None, str(error))
        return cleaned

    def merge_newer(self, cleaned: dict[str, Any]) -> None:
        """Merge the text with what others have saved since it was opened. Raises MergeConflict, and as ``check_can_save``."""
        try:
            services.check_can_save(article=self.instance, opened_at=cleaned["opened_at"])
        except EditConflict:
            text = services.TextInput.parse({name: cleaned.get(name) for name in TEXT})
            merge = services.merged_with_newest(self.instance, text, cleaned["opened_at"])
            if merge.conflicts:
                raise services.MergeConflict(merge) from None
            cleaned |= {"title": merge.title.merged, "content": merge.content, "opened_at": merge.newest.number}
            services.check_can_save(article=self.instance, opened_at=merge.newest.number)


def as_input(values: dict[str, Any]) -> dict[str, Any]:
    """Cleaned values of the form as ``BriefInput`` takes them: a voice by its name."""
    given = dict(values)
    if "voice" in given:
        given["voice"] = given["voice"].name if given["voice"] else None
    return given


def newest_revision(article: Article) -> int:
    return article.revisions.values_list("number", flat=True).first() or 0


class ArticleChangeList(ChangeList):
    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Any]:
        articles = cast(ArticleQuerySet, super().get_queryset(request, exclude_parameters))
        return articles.without_large_fields()


@admin.register(Article)
class ArticleAdmin(CostColumn, admin.ModelAdmin):  # type: ignore[type-arg]  # Django's cannot be subscripted at run time
    form = ArticleForm
    list_display = ("name", "owner", "state", "words", "cost", "created")
    list_filter = ("status", ("owner", admin.RelatedOnlyFieldListFilter), "language", "created_at")
    list_select_related = ("owner",)
    list_per_page = 50
    search_fields = ("title", "topic", "owner__username")
    date_hierarchy = "created_at"
    actions = (write_again, try_again, keep_text, approve, cancel, *DOWNLOADS)
    inlines = (RunInline, RevisionInline, SourceInline)
    fieldsets = (
        (
            "Status",
            {
                "fields": (
                    ("status", "per_cent", "current_agent"),
                    "message",
                    ("owner", "word_count", "cost", "page"),
                    ("created_at", "updated_at", "completed_at"),
                )
            },
        ),
        ("Brief", {"fields": BRIEF, "description": "Changes apply when the article is written again."}),
        ("Text", {"fields": (*TEXT, "opened_at", "notice"), "classes": ("collapse",)}),
        ("Steps and events of the latest run", {"fields": ("history",), "classes": ("collapse",)}),
        (
            "Other output",
            {
                "fields": (
                    "image",
                    "image_alt",
                    "image_drawn_by",
                    "made_outline",
                    "made_seo",
                    "made_references",
                    "made_research",
                ),
                "classes": ("collapse",),
            },
        ),
    )
    readonly_fields = (
        *("status", "per_cent", "current_agent", "message", "owner", "word_count", "cost", "page", "notice", "history"),
        *("created_at", "updated_at", "completed_at", "image", "image_alt", "image_drawn_by"),
        *("made_outline", "made_seo", "made_references", "made_research"),
    )

    class Media:
        css = {"all": ("css/admin.css",)}

    def has_add_permission(self, request: HttpRequest) -> bool:
        """An article begins with a brief, on its own page or through the API."""
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return with_costs(super().get_queryset(request), "run__article")

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return ArticleChangeList

    # What is shown

    def view_on_site(self, article: Article) -> str:
        return article.get_absolute_url()

    @admin.display(description="Article", ordering="topic")
    def name(self, article: Article) -> str:
        return Truncator(str(article)).chars(90)

    @admin.display(description="Status", ordering="status")
    def state(self, article: Article) -> str:
        status = article.get_status_display()
        return f"{status}, {article.progress} %" if article.status == Status.PROCESSING else status

    @admin.display(description="Words", ordering="word_count")
    def words(self, article: Article) -> str:
        return f"{article.word_count:,}" if article.word_count else "–"

    @admin.display(description="Created", ordering="created_at")
    def created(self, article: Article) -> str:
        return date_format(localtime(article.created_at), "j M Y")

    @admin.display(description="Progress")
    def per_cent(self, article: Article) -> str:
        return f"{article.progress} %"

    @admin.display(description="Page")
    def page(self, article: Article) -> SafeString:
        return format_html('<a href="{}">Open</a>', article.get_absolute_url())

    @admin.display(description="Revision")
    def opened_at(self, article: Article) -> int:
        return newest_revision(article)

    @admin.display(description="")
    def history(self, article: Article) -> SafeString:
        return render_to_string("admin/articles/_history.html", latest_history(article))

    @admin.display(description="Outline")
    def made_outline(self, article: Article) -> SafeString | str:
        return as_json(article.outline)

    @admin.display(description="SEO")
    def made_seo(self, article: Article) -> SafeString | str:
        return as_json(article.seo_meta)

    @admin.display(description="References")
    def made_references(self, article: Article) -> SafeString | str:
        return as_json(article.references)

    @admin.display(description="Research")
    def made_research(self, article: Article) -> SafeString | str:
        return as_json(article.research_data)

    # What is written, all of it by the services

    def save_model(self, request: HttpRequest, obj: Article, form: ArticleForm, change: bool) -> None:
        """Only what was changed, field by field: the row as it was read here may be older than what a worker wrote since."""
        given, changed = form.cleaned_data, set(form.changed_data)
        if fields := changed & services.BriefInput.model_fields.keys():
            services.change_brief(article=obj, brief=form.brief, only=fields)
        if changed & set(TEXT):
            title, content, opened_at = given["title"], given["content"], given["opened_at"]
            newest = obj.revisions.first()
            if newest and (newest.title, newest.content) == (title, content):
                return  # nothing but what somebody else has saved
            services.save_text(article=obj, by=signed_in(request), title=title, content=content, opened_at=opened_at)

    def delete_model(self, request: HttpRequest, obj: Article) -> None:
        services.delete_article(article=obj, by=signed_in(request))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Article]) -> None:
        services.delete_articles(articles=queryset, by=signed_in(request))

    def get_deleted_objects(
        self, objs: Sequence[Article] | QuerySet[Article], request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        """What goes with an article, counted: its history is read-only by itself, and is too long to be listed."""
        articles = [article.pk for article in objs]
        counts = {"articles": len(articles)} | {
            str(model._meta.verbose_name_plural): model.objects.filter(article__in=articles).count()
            for model in (Run, Event, Revision, Source)
        }
        return [str(article) for article in objs], counts, set(), []
