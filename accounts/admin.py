"""The audit log in the admin, read-only also for superusers; and the admin's sign-in, which is the studio's own."""

from __future__ import annotations

from allauth.account.decorators import secure_admin_login
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialApp, SocialToken
from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from accounts.models import AuditEntry


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
