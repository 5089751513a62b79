"""A style of writing, chosen in the brief and given to the writer and the editor."""

from __future__ import annotations

import re

from django.core.exceptions import ValidationError
from django.db import models

from agents import contract
from articles.exceptions import UnknownVoice

BETWEEN_SAMPLES = re.compile(r"^\s*-{3,}\s*$", re.MULTILINE)
MAX_DESCRIPTION, MAX_SAMPLES, MAX_WORDS = 2_000, 20_000, 5_000
"""In characters. The description and the words go into the prompt of every section; of samples only the beginning does."""


class VoiceQuerySet(models.QuerySet["Voice"]):
    def named(self, name: str) -> Voice:
        """The voice with exactly this name. Raises UnknownVoice, which lists the existing ones."""
        names = list(self.values_list("name", flat=True))
        if name not in names:
            known = f"There are: {', '.join(names)}." if names else "An administrator can make one."
            raise UnknownVoice(f"There is no voice “{name[:100]}”. {known}")
        return self.get(name=name)


class Voice(models.Model):
    """``prefer`` and ``avoid`` hold one word or phrase a line; ``samples`` are texts with a line of dashes between them."""

    name = models.CharField(max_length=100, unique=True)
    description = models.TextField(
        max_length=MAX_DESCRIPTION,
        blank=True,
        help_text="How it sounds: sentences, person, humour, what it never does.",
    )
    samples = models.TextField(
        max_length=MAX_SAMPLES,
        blank=True,
        help_text="Texts in this voice, with a line of --- between them. The crew is shown the beginnings of the first two.",
    )
    prefer = models.TextField(
        "words to prefer", max_length=MAX_WORDS, blank=True, help_text="One word or phrase a line."
    )
    avoid = models.TextField("words to avoid", max_length=MAX_WORDS, blank=True, help_text="One word or phrase a line.")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = VoiceQuerySet.as_manager()

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Requires a description or a sample, and refuses words that are both preferred and avoided."""
        voice = self.as_contract()
        if not voice.description.strip() and not voice.samples:
            raise ValidationError("Add a description or a sample text.")
        liked = {word.casefold() for word in voice.prefer}
        if both := [word for word in voice.avoid if word.casefold() in liked]:
            raise ValidationError({"avoid": f"Both preferred and avoided: {', '.join(both)}. Remove it from one list."})

    def as_contract(self) -> contract.Voice:
        """The voice as the agents get it."""
        return contract.Voice(
            name=self.name,
            description=self.description,
            samples=[sample.strip() for sample in BETWEEN_SAMPLES.split(self.samples) if sample.strip()],
            prefer=lines(self.prefer),
            avoid=lines(self.avoid),
        )


def lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]
