"""The audit log in the admin, read-only also for superusers; and the admin's sign-in, which is the studio's own."""

from __future__ import annotations

from typing import Any

from allauth.account.decorators import secure_admin_login
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialApp, SocialToken
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html

from accounts.models import AuditEntry, DataExport
from accounts.personal_data.deletion import delete_person
from accounts.personal_data.exports import request_export
from articles.admin.actions import signed_in
from articles.admin.users import StudioUserAdmin
from articles.exceptions import InvalidState


@admin.register(AuditEntry)
class AuditEntryAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # Django's cannot be subscripted at run time
    list_display = ("at", "action", "username", "address", "summary")
    list_filter = ("action", "at")
    search_fields = ("username", "address", "details")
    date_hierarchy = "at"
    fields = ("at", "action", "username", "address", "summary")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


def change_password(request: HttpRequest, extra_context: object = None) -> HttpResponse:
    return redirect("account_change_password")


setattr(admin.site, "login", secure_admin_login(admin.site.login))  # noqa: B010  (a method, which mypy lets nobody assign)
setattr(admin.site, "password_change", change_password)  # noqa: B010
# Providers are configured by settings, and addresses are kept with the user.
admin.site.unregister([EmailAddress, SocialApp, SocialToken, Authenticator])


@admin.register(Authenticator)
class AuthenticatorAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # Django's cannot be subscripted at run time
    """Second factors can be removed, for users who have lost theirs. Their secrets are not shown."""

    list_display = ("user", "type", "created_at", "last_used_at")
    list_filter = ("type",)
    search_fields = ("user__username",)
    fields = list_display

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # Django's cannot be subscripted at run time
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(DataExport)
class DataExportAdmin(ReadOnlyAdmin):
    """Superusers request exports in the list of users, and download them here."""

    list_display = ("user", "requested_by", "requested_at", "finished_at", "download")
    list_select_related = ("user", "requested_by")

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return request.user.is_superuser

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    @admin.display(description="File", empty_value="–")
    def download(self, export: DataExport) -> str | None:
        if not export.is_ready:
            return export.problem or None
        return format_html('<a href="{}">Download</a>', reverse("download_data", args=[export.pk]))


admin.site.unregister(User)


@admin.register(User)
class PersonAdmin(StudioUserAdmin):
    """Deleting a user deletes their personal data, and superusers can export it."""

    actions = ("export_data",)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        found: dict[str, Any] = super().get_actions(request)
        if not request.user.is_superuser:
            found.pop("export_data", None)
        return found

    @admin.action(description="Export personal data")
    def export_data(self, request: HttpRequest, users: QuerySet[User]) -> None:
        for user in users:
            request_export(user, by=signed_in(request))
        link = reverse("admin:accounts_dataexport_changelist")
        messages.success(
            request, format_html('The export is being made. <a href="{}">Exports of personal data</a>', link)
        )

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        try:
            delete_person(obj, by=signed_in(request))
        except InvalidState as error:
            messages.error(request, str(error))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        for user in queryset:
            self.delete_model(request, user)
