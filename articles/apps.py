"""Connects the app's parts when Django starts."""

from django.apps import AppConfig


class ArticlesConfig(AppConfig):
    name = "articles"

    def ready(self) -> None:
        from agents.costs.prices import prices
        from articles import permission_groups
        from articles.live import metrics, receivers
        from contentstudio import database_sessions
        from contentstudio.runtime import compatibility, first_login

        prices()  # an unreadable price table stops the studio now instead of the first run that needs it
        database_sessions.connect()
        receivers.connect()
        metrics.register()
        first_login.connect()
        compatibility.connect()
        permission_groups.connect()
