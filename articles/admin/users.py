"""Users, as Django has them. Their articles go with them, each by the service, which stops its run and takes its files along."""

from __future__ import annotations

from collections.abc import Sequence

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest

from articles import services
from articles.admin.actions import signed_in
from articles.models import ApiKey, Article

admin.site.unregister(User)


@admin.register(User)
class WriterAdmin(UserAdmin):  # type: ignore[type-arg]  # Django's cannot be subscripted at run time
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
        """What goes with a user, counted: the history of the articles is read-only by itself, and too long to be listed."""
        users = [user.pk for user in objs]
        counts = {
            "users": len(users),
            "articles": Article.objects.filter(owner__in=users).count(),
            "API keys": ApiKey.objects.filter(user__in=users).count(),
        }
        may_not = set() if not counts["articles"] or request.user.has_perm("articles.delete_article") else {"articles"}
        return [str(user) for user in objs], counts, may_not, []
