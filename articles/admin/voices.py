"""Voices: styles of writing that a brief can choose."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AdminTextareaWidget
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils.text import Truncator

from articles.models import Voice


class VoiceForm(forms.ModelForm):  # type: ignore[type-arg]  # Django's cannot be subscripted at run time
    class Meta:
        widgets = {
            "description": AdminTextareaWidget({"rows": 3}),
            "prefer": AdminTextareaWidget({"rows": 6}),
            "avoid": AdminTextareaWidget({"rows": 6}),
        }


@admin.register(Voice)
class VoiceAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # Django's cannot be subscripted at run time
    form = VoiceForm
    list_display = ("name", "described", "samples_held", "preferred", "avoided", "used_by", "updated_at")
    search_fields = ("name", "description")
    fieldsets = (
        (
            None,
            {
                "fields": ("name", "description", "samples"),
                "description": "Part of the instructions of the writer and the editor for each article with this voice.",
            },
        ),
        ("Words", {"fields": ("prefer", "avoid")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        voices: QuerySet[Any] = super().get_queryset(request).annotate(articles=Count("article"))
        return voices

    @admin.display(description="Description", empty_value="–")
    def described(self, voice: Voice) -> str:
        return Truncator(voice.description).chars(80)

    @admin.display(description="Samples")
    def samples_held(self, voice: Voice) -> int:
        return len(voice.as_contract().samples)

    @admin.display(description="Words preferred")
    def preferred(self, voice: Voice) -> int:
        return len(voice.as_contract().prefer)

    @admin.display(description="Words avoided")
    def avoided(self, voice: Voice) -> int:
        return len(voice.as_contract().avoid)

    @admin.display(description="Articles", ordering="articles")
    def used_by(self, voice: Any) -> int:
        count: int = voice.articles
        return count
