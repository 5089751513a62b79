"""A page that watches an article: opening it, and what it shows."""

from __future__ import annotations

from django.conf import settings
from playwright.sync_api import Page

from articles.live.groups import group_name
from articles.live.redis_layer import GROUP_PREFIX, redis_client
from articles.models import Article
from tests.waiting import wait_until

KEEP_SOCKETS = """
    window.sockets = [];
    window.WebSocket = class extends WebSocket {
        constructor(...given) {
            super(...given);
            sockets.push(this);
            this.addEventListener("message", (event) => { if (this.isDead) event.stopImmediatePropagation() });
        }
    };
"""
SOCKET_ERRORS = ["WebSocket", "htmx:wsError", "bject Event]", "ERR_INTERNET_DISCONNECTED", "ERR_CONNECTION"]


def watch(page: Page, article: Article) -> None:
    """Open the article's page and wait until its socket is open; note on it that it was not reloaded."""
    page.add_init_script("document.addEventListener('htmx:wsOpen', () => (window.socketOpen = true))")
    page.goto(article.get_absolute_url())
    page.wait_for_function("() => window.socketOpen")
    wait_until(lambda: is_followed(article))
    page.evaluate("() => (window.sameDocument = true)")


def is_followed(article: Article) -> bool:
    """Whether a consumer gets what is sent to the article's watchers. It opens the socket first."""
    [(_, followers)] = redis_client(settings.REDIS_ADDRESS).pubsub_numsub(GROUP_PREFIX + group_name(article.pk))
    return bool(followers)


def was_not_loaded_anew(page: Page) -> bool:
    return bool(page.evaluate("() => window.sameDocument === true"))


def numbers_of(page: Page) -> list[str]:
    """The numbers in the page's log, from the first row to the last."""
    return page.locator("#log-table td:first-child").all_text_contents()


def whole_log(article: Article) -> list[str]:
    article.refresh_from_db()
    return [str(number) for number in range(1, article.last_seq + 1)]
