"""Users. Deleting one deletes their articles through the services, which stop runs and remove files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import User
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from articles import services
from articles.admin.actions import signed_in
from articles.admin.quotas import usage_list
from articles.models import ApiKey, Article
from articles.runs.recovery import cancel_runs_of_inactive_users

admin.site.unregister(User)

STAFF_NOTE = "Members of “Editors” and “Chief editors” also need “Staff status”, to sign in to the administration."
PRIVILEGES = ("is_superuser", "groups", "user_permissions")


def may_manage(manager: User, user: User) -> bool:
    """Whether ``manager`` gains nothing by signing in as ``user``: whoever sets a password can."""
    if manager.is_superuser:
        return True
    return not user.is_superuser and user.get_all_permissions() <= manager.get_all_permissions()


@admin.register(User)
class StudioUserAdmin(UserAdmin):  # type: ignore[type-arg]  # Django's cannot be subscripted at run time
    """Only superusers grant privileges. Other staff manage users who may do no more than they themselves."""

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        found = super().get_fieldsets(request, obj)
        return (*found, ("Usage", {"fields": ("usage",)})) if obj else found

    @admin.display(description="Quotas")
    def usage(self, user: User) -> str:
        return usage_list(user)

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> Any:
        fields = (*super().get_readonly_fields(request, obj), "usage")
        return fields if signed_in(request).is_superuser else (*fields, *PRIVILEGES)

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **options: Any) -> Any:
        field = super().formfield_for_manytomany(db_field, request, **options)
        if field and db_field.name == "groups":
            field.help_text = f"{field.help_text} {STAFF_NOTE}"
        return field

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """The form for a new password asks this, too."""
        return super().has_change_permission(request, obj) and self._may_manage(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return super().has_delete_permission(request, obj) and self._may_manage(request, obj)

    @staticmethod
    def _may_manage(request: HttpRequest, obj: Model | None) -> bool:
        return not isinstance(obj, User) or may_manage(signed_in(request), obj)

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if not obj.is_active:
            cancel_runs_of_inactive_users()

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        services.delete_articles(articles=obj.articles.without_large_fields(), by=signed_in(request))
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        for user in queryset:
            services.delete_articles(articles=user.articles.without_large_fields(), by=signed_in(request))
        super().delete_queryset(request, queryset)

    def get_deleted_objects(
        self, objs: Sequence[User] | QuerySet[User], request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        """Counts what is deleted with a user. The articles' history is read-only by itself, and too long to list."""
        users = list(objs)
        counts = {
            "users": len(users),
            "articles": Article.objects.filter(owner__in=users).count(),
            "API keys": ApiKey.objects.filter(user__in=users).count(),
        }
        forbidden = set()
        if counts["articles"] and not request.user.has_perm("articles.delete_article"):
            forbidden.add("articles")
        if not all(self._may_manage(request, user) for user in users):
            forbidden.add("users with more permissions than yours")
        return [str(user) for user in users], counts, forbidden, []
