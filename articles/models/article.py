"""An article: its brief, its current text and its status; and the revisions of the text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User
from django.db import models
from django.db.models import Q, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce, Lower, NullIf
from django.urls import reverse

from agents.contract import DRAWN_BY_STUDIO, MAX_TOPIC, MAX_WORDS, MIN_WORDS
from articles.models.status import ACTIVE, ENDED, Status

if TYPE_CHECKING:
    from articles.models.run import Event, Run


ORDERS: dict[str, tuple[str | Combinable, ...]] = {
    "newest": ("-created_at", "-id"),
    "oldest": ("created_at", "id"),
    "changed": ("-updated_at", "-id"),
    # As the list shows it: an article without a title is listed by its topic.
    "title": (Lower(Coalesce(NullIf("title", Value("")), "topic")), "id"),
}


class ArticleQuerySet(models.QuerySet["Article"]):
    def visible_to(self, user: User | AnonymousUser) -> Self:
        """The user's own articles, all for staff with the permission to view articles, none for anonymous users."""
        if not user.is_authenticated or not user.is_active:
            return self.none()
        if user.is_staff and user.has_perm("articles.view_article"):
            return self
        return self.filter(owner=user.pk)

    def running(self) -> Self:
        return self.filter(status__in=ACTIVE)

    def awaiting_approval(self) -> Self:
        """Articles whose outline waits for approval."""
        return self.filter(status=Status.AWAITING_APPROVAL)

    def with_text(self) -> Self:
        """Articles with a finished text, whatever became of later runs."""
        return self.exclude(content="")

    def search(self, words: str) -> Self:
        """Articles whose title or topic contains each of ``words``."""
        found = self
        for word in words.replace("\0", " ").split()[:10]:
            found = found.filter(Q(title__icontains=word) | Q(topic__icontains=word))
        return found

    def in_order(self, key: str) -> Self:
        """``newest``, ``oldest``, ``changed`` or ``title``."""
        return self.order_by(*ORDERS[key])

    def without_large_fields(self) -> Self:
        """Without long fields, for lists."""
        return self.defer("content", "outline", "seo_meta", "research_data", "references", "notes")


class Article(models.Model):
    """``status``, ``progress``, ``current_agent`` and ``message`` are the latest run's, written with its events.

    Only ``keep_text`` sets the status apart from the run's: to completed, although the latest run is not.
    """

    class Writing(models.TextChoices):
        PARALLEL = "parallel", "Fastest: sections side by side"
        WHOLE = "whole", "Best flow: one draft (up to 1,500 words)"

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="articles")

    # The brief
    topic = models.CharField(max_length=MAX_TOPIC)
    tone = models.CharField(max_length=100, default="professional")
    target_audience = models.CharField("audience", max_length=200, default="general")
    min_words = models.PositiveIntegerField("words", default=1000)
    include_image = models.BooleanField("with an image", default=True)
    seo_optimize = models.BooleanField("with SEO", default=True)
    language = models.CharField(max_length=35, default="en", help_text="A BCP 47 tag, such as en or pt-BR.")
    keywords = models.JSONField(default=list, blank=True)
    notes = models.TextField(blank=True)
    voice = models.ForeignKey("articles.Voice", on_delete=models.SET_NULL, null=True, blank=True)
    writing = models.CharField(max_length=10, choices=Writing, default=Writing.PARALLEL)
    approve_outline = models.BooleanField("show me the outline first", default=False)
    allow_uncited = models.BooleanField("write without citations if no source can be read", default=True)

    # Status
    status = models.CharField(max_length=20, choices=Status, default=Status.PENDING)
    progress = models.PositiveSmallIntegerField(default=0, help_text="Per cent, 0–100.")
    current_agent = models.CharField(max_length=40, blank=True)
    message = models.TextField(blank=True)
    last_seq = models.PositiveIntegerField(default=0, editable=False, help_text="Number of its newest event.")

    # Results
    title = models.CharField(max_length=300, blank=True)
    content = models.TextField(blank=True, help_text="Markdown; references are footnotes.")
    word_count = models.PositiveIntegerField(default=0)
    outline = models.JSONField(null=True, blank=True)
    seo_meta = models.JSONField(null=True, blank=True)
    research_data = models.JSONField(null=True, blank=True)
    references = models.JSONField(default=list, blank=True)
    image = models.FileField(max_length=200, blank=True)
    image_alt = models.CharField(max_length=300, blank=True)
    image_drawn_by = models.CharField(
        max_length=200, blank=True, help_text=f"An image model, or “{DRAWN_BY_STUDIO}”; empty if unknown."
    )
    share_image = models.FileField(max_length=200, blank=True, help_text="1200 × 630, for cards that link to it.")
    notice = models.TextField(blank=True, help_text="What a reader of this text has to know, such as who wrote it.")

    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    completed_at = models.DateTimeField(null=True, blank=True)

    objects = ArticleQuerySet.as_manager()

    class Meta:
        ordering = ("-created_at", "-id")
        indexes = (
            models.Index(fields=["owner", "-created_at"], name="article_of_owner"),
            models.Index(fields=["status", "-created_at"], name="article_by_status"),
        )
        constraints = (
            models.CheckConstraint(
                condition=Q(min_words__gte=MIN_WORDS, min_words__lte=MAX_WORDS), name="article_words_in_bounds"
            ),
            models.CheckConstraint(condition=Q(progress__lte=100), name="article_progress_in_per_cent"),
            models.CheckConstraint(condition=Q(status__in=Status.values), name="article_status_known"),
            models.CheckConstraint(condition=Q(writing__in=["parallel", "whole"]), name="article_writing_known"),
        )

    def __str__(self) -> str:
        return self.title or self.topic

    def get_absolute_url(self) -> str:
        return reverse("article_detail", args=[self.pk])

    def allows(self, user: User, to: str) -> bool:
        """Whether ``user`` may also ``change`` or ``delete`` it: their own, or any with the permission."""
        return self.owner_id == user.pk or user.has_perm(f"articles.{to}_article")

    @property
    def is_active(self) -> bool:
        return self.status in ACTIVE

    @property
    def has_ended(self) -> bool:
        return self.status in ENDED

    @property
    def has_text(self) -> bool:
        """Whether there is a finished text. Later runs do not remove it."""
        return bool(self.content)

    @property
    def image_url(self) -> str:
        return self.image.url if self.image else ""

    def latest_run(self) -> Run | None:
        return self.runs.order_by("-id").first()

    def events_after(self, seq: int) -> list[Event]:
        """Events up to the ``last_seq`` of this instance, so that its state and the events match.

        ``seq`` may be from a log that was lost, and is then too large.
        """
        return list(self.events.after(seq).filter(seq__lte=self.last_seq)) if seq < self.last_seq else []


class Revision(models.Model):
    """A saved state of the text. ``saved_by`` is None if the crew wrote it, or a user who was deleted."""

    article = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="revisions")
    number = models.PositiveIntegerField()
    title = models.CharField(max_length=300)
    content = models.TextField()
    saved_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True)
    former_author = models.CharField(
        max_length=150, blank=True, db_default="", editable=False, help_text="A pseudonym, if its author was deleted."
    )
    name = models.CharField(max_length=100, blank=True, db_default="", help_text="What people call it.")
    origin = models.JSONField(
        null=True,
        blank=True,
        editable=False,
        help_text="Start, end and origin of its sentences (articles.revisions.origins); null from older versions.",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-number",)
        constraints = (models.UniqueConstraint(fields=["article", "number"], name="revision_number_once"),)

    def __str__(self) -> str:
        return f"Revision {self.number}"

    @property
    def author(self) -> str:
        return self.saved_by.get_username() if self.saved_by else self.former_author or "The crew"
