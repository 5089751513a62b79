"""The six agents: changes to the shipped roles, models and model settings."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.widgets import AdminTextareaWidget
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.html import format_html
from django.utils.text import Truncator

from agents.contract import AGENTS
from agents.prompts import config
from articles.models import AgentProfile

APPLIES_FROM = "An empty field keeps its default. Changes apply to new runs; a run in progress keeps its settings."


def defaults_of(profile: AgentProfile) -> dict[str, str]:
    """The values of empty fields: ``role``, ``goal``, ``backstory`` and ``model``."""
    return {**config("agents")[AGENTS[profile.stage]], "model": settings.LLM_MODELS[profile.stage]}  # type: ignore[index]


class AgentForm(forms.ModelForm):  # type: ignore[type-arg]  # Django's cannot be subscripted at run time
    """Shows each default below its field, so that it can be read and copied while typing."""

    class Meta:
        widgets = {"goal": AdminTextareaWidget({"rows": 2}), "backstory": AdminTextareaWidget({"rows": 8})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, text in defaults_of(self.instance).items():
            if field := self.fields.get(name):  # none for users who may only view
                field.help_text = format_html("Default: {}", text)


@admin.register(AgentProfile)
class AgentAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # Django's cannot be subscripted at run time
    form = AgentForm
    list_display = ("stage", "shown_role", "shown_model", "temperature", "max_tokens", "changed")
    list_display_links = ("stage", "shown_role")
    actions = ("reset",)
    fieldsets = (
        ("Role", {"fields": ("role", "goal", "backstory"), "description": APPLIES_FROM}),
        ("Model", {"fields": ("model", "temperature", "max_tokens")}),
    )

    # There are always six

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if self.has_view_permission(request):
            AgentProfile.objects.complete()
        return super().changelist_view(request, extra_context)

    @admin.display(description="Role")
    def shown_role(self, profile: AgentProfile) -> str:
        return Truncator(profile.role or defaults_of(profile)["role"]).chars(60)

    @admin.display(description="Model")
    def shown_model(self, profile: AgentProfile) -> str:
        return profile.model or defaults_of(profile)["model"]

    @admin.display(description="Changed", empty_value="–")
    def changed(self, profile: AgentProfile) -> str:
        return ", ".join(profile.as_contract().model_dump(exclude_defaults=True)).replace("_", " ")

    @admin.action(permissions=["change"], description="Reset to defaults")
    def reset(self, request: HttpRequest, profiles: QuerySet[AgentProfile]) -> None:
        """The old values are kept in the admin's history, in case this was a mistake."""
        changed = [profile for profile in profiles if profile.is_changed]
        for profile in changed:
            values = profile.as_contract().model_dump(exclude_defaults=True)
            old = "; ".join(f"{name}: {value}" for name, value in values.items())
            self.log_change(request, profile, f"Reset to defaults. Old values: {old}")
        AgentProfile.objects.filter(pk__in=[profile.pk for profile in changed]).reset()
        names = ", ".join(map(str, changed))
        messages.success(
            request, f"Reset to defaults: {names}." if names else "Nothing to reset: no agent was changed."
        )

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        profile = self.get_object(request, object_id) if object_id and "_reset" in request.POST else None
        if profile is None:
            return super().changeform_view(request, object_id, form_url, extra_context)
        if not self.has_change_permission(request, profile):
            raise PermissionDenied
        self.reset(request, AgentProfile.objects.filter(pk=profile.pk))
        return redirect(request.path)
