"""What the person brings to be read. What was read, from here or from the web, is kept in the article's research."""

from __future__ import annotations

from django.core.files.storage import storages
from django.core.files.storage.base import Storage
from django.db import models
from django.db.models import Q

from agents.contract import BriefSource
from articles.models.article import Article


def uploads() -> Storage:
    """The storage of documents people bring; workers read it, nothing serves it."""
    return storages["uploads"]


class Source(models.Model):
    """A pasted text, an address or an uploaded document: exactly one of them."""

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
        return "text" if self.text else "page" if self.url else "document"

    def as_brief_source(self) -> BriefSource:
        """What the crew is given."""
        path = self.upload.path if self.upload else ""
        return BriefSource(id=self.pk, title=self.title, text=self.text, url=self.url, path=path)
