from django.apps import AppConfig


class ArticlesConfig(AppConfig):
    name = "articles"

    def ready(self) -> None:
        from agents.costs.prices import prices
        from articles.live import receivers

        prices()  # a table that cannot be read stops the studio here, not the first run that needs it
        receivers.connect()
