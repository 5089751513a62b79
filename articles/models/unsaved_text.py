"""What people have typed into the editor and not saved yet."""

from __future__ import annotations

from uuid import uuid4

from django.conf import settings
from django.db import models

from articles.models.article import Article


class UnsavedText(models.Model):
    """One per article and user. ``opened_at`` is the number of the revision that was edited.

    ``version`` changes with each write.
    """

    MAX_TITLE = 1000  # characters: a title too long to be saved is kept, too

    article = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="unsaved_texts")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="unsaved_texts")
    title = models.CharField(max_length=MAX_TITLE, blank=True)
    content = models.TextField(blank=True)
    opened_at = models.PositiveIntegerField()
    version = models.UUIDField(default=uuid4)
    kept_at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["article", "user"], name="unsaved_text_once"),)

    def __str__(self) -> str:
        return f"Unsaved changes to article {self.article_id}"
