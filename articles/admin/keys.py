"""API keys: created, shown once, revoked. The key itself is never stored."""

from __future__ import annotations

from typing import Any

from allauth.account.decorators import reauthentication_required
from django.contrib import admin, messages
from django.db.models import ForeignKey, QuerySet
from django.forms import ModelChoiceField
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import method_decorator
from django.utils.html import format_html

from articles.models import ApiKey
from articles.quotas.totals import issue_key


@admin.register(ApiKey)
class ApiKeyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # Django's cannot be subscripted at run time
    list_display = ("name", "user", "hint", "read_only", "created_at", "last_used_at", "expires_at", "revoked_at")
    list_filter = (("user", admin.RelatedOnlyFieldListFilter), "created_at")
    list_select_related = ("user",)
    search_fields = ("name", "user__username", "hint")
    actions = ("revoke",)
    fields = ("user", "name", "read_only", "expires_at")

    @method_decorator(reauthentication_required(allow_get=True))
    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        return super().add_view(request, form_url, extra_context)

    def get_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> Any:
        return (*self.fields, "hint", "created_at", "last_used_at", "revoked_at") if obj else self.fields

    def get_readonly_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> Any:
        made = ("user", "read_only", "expires_at", "hint", "created_at", "last_used_at", "revoked_at")
        return made if obj else ()

    def formfield_for_foreignkey(
        self, db_field: ForeignKey[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> ModelChoiceField[Any] | None:
        """Only superusers create keys for others: a key for a superuser would grant all permissions."""
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        if field is not None and field.queryset is not None and not request.user.is_superuser:
            field.queryset = field.queryset.filter(pk=request.user.pk)
        return field

    def save_model(self, request: HttpRequest, obj: ApiKey, form: Any, change: bool) -> None:
        if change:
            obj.save(update_fields=["name"])
            return
        issued, key = issue_key(obj.user, obj.name, read_only=obj.read_only)
        ApiKey.objects.filter(pk=issued.pk).update(expires_at=obj.expires_at)
        obj.pk = issued.pk
        obj.refresh_from_db()
        text = "The key is <code>{}</code>. Copy it now: it is not stored and cannot be shown again."
        messages.warning(request, format_html(text, key))

    @admin.action(permissions=["change"], description="Revoke")
    def revoke(self, request: HttpRequest, keys: QuerySet[ApiKey]) -> None:
        count = ApiKey.objects.filter(pk__in=keys.values("pk")).revoke()
        messages.success(
            request,
            "1 key was revoked. It no longer works."
            if count == 1
            else f"{count} keys were revoked. They no longer work.",
        )
