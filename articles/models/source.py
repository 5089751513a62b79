"""Sources of a brief. What was actually read is stored in the article's research data."""

from __future__ import annotations

from django.core.files.storage import storages
from django.core.files.storage.base import Storage
from django.db import models
from django.db.models import Q

from agents.contract import BriefSource
from articles.models.article import Article


def uploads() -> Storage:
    """The storage of uploaded documents. Workers read it; it is never served."""
    return storages["uploads"]


class SourceQuerySet(models.QuerySet["Source"]):
    def without_texts(self) -> SourceQuerySet:
        """Does not load the pasted texts, which may be long."""
        return self.defer("text").annotate(has_text=~Q(text=""))


class Source(models.Model):
    """A pasted text, a URL or an uploaded document. A pasted text may have a URL, which is its link and is not fetched."""

    article = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="sources")
    title = models.CharField(max_length=300, blank=True)
    text = models.TextField(blank=True)
    url = models.URLField(max_length=2000, blank=True)
    upload = models.FileField(storage=uploads, max_length=300, blank=True)
    upload_bytes = models.BigIntegerField(
        null=True,
        blank=True,
        editable=False,
        help_text="Null for documents of earlier releases, until they are measured.",
    )
    kind = models.CharField(
        max_length=80, blank=True, help_text="In the words of the person, such as study or press release."
    )
    publisher = models.CharField(max_length=200, blank=True)
    author = models.CharField(max_length=200, blank=True)
    date = models.CharField(max_length=10, blank=True, help_text="ISO 8601, possibly without day or month.")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = SourceQuerySet.as_manager()

    class Meta:
        ordering = ("id",)
        constraints = (
            models.CheckConstraint(
                condition=(Q(upload="") & ~Q(text="", url="") | Q(text="", url="") & ~Q(upload="")),
                name="source_has_one_content",
            ),
        )

    def __str__(self) -> str:
        return self.title or self.url or self.upload.name or self.text[:60]

    @property
    def type(self) -> str:
        """What the source consists of: ``document``, ``text`` or ``page``."""
        if self.upload:
            return "document"
        has_text = self.has_text if hasattr(self, "has_text") else bool(self.text)  # annotated by without_texts()
        return "text" if has_text else "page"

    def as_brief_source(self) -> BriefSource:
        """The source as the agents get it."""
        return BriefSource(
            id=self.pk,
            title=self.title,
            text=self.text,
            url=self.url,
            path=self.upload.name or "",
            kind=self.kind,
            publisher=self.publisher,
            author=self.author,
            date=self.date,
        )
