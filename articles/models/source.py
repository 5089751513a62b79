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


class Source(models.Model):
    """A pasted text, a URL or an uploaded document: exactly one of them."""

    article = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="sources")
    title = models.CharField(max_length=300, blank=True)
    text = models.TextField(blank=True)
    url = models.URLField(max_length=2000, blank=True)
    upload = models.FileField(storage=uploads, max_length=300, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("id",)
        constraints = (
            models.CheckConstraint(
                condition=(
                    Q(url="", upload="") & ~Q(text="")
                    | Q(text="", upload="") & ~Q(url="")
                    | Q(text="", url="") & ~Q(upload="")
                ),
                name="source_is_one_thing",
            ),
        )

    def __str__(self) -> str:
        return self.title or self.url or self.upload.name or self.text[:60]

    @property
    def kind(self) -> str:
        """Does not read ``text``, which lists defer: the other two are empty for a text."""
        return "page" if self.url else "document" if self.upload else "text"

    def as_brief_source(self) -> BriefSource:
        """The source as the agents get it."""
        path = self.upload.path if self.upload else ""
        return BriefSource(id=self.pk, title=self.title, text=self.text, url=self.url, path=path)
