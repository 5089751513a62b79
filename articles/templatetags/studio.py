"""Template tags and filters of the studio's pages."""

from __future__ import annotations

from functools import cache
from urllib.parse import urlsplit

from django import template
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

from agents.contract import Source
from agents.costs.prices import dollars
from agents.text.locales import long_date
from agents.text.reference_entries import page_link
from articles.exports import FORMATS
from articles.forms.languages import language_name

register = template.Library()

WORDS_A_MINUTE = 230
STAGE_NAMES = {"seo": "SEO"}

register.filter(language_name)
register.filter(dollars)


@register.simple_tag
def icon(name: str) -> SafeString:
    """An icon of ``static/img/icons.svg``, hidden from screen readers: the text beside it says the same."""
    return icon_html(static("img/icons.svg"), name)


@cache
def icon_html(address: str, name: str) -> SafeString:
    return format_html('<svg class="icon" aria-hidden="true"><use href="{}#{}"></use></svg>', address, name)


@register.simple_tag
def formats() -> dict[str, str]:
    """Download formats with their labels."""
    return {key: kind.label for key, kind in FORMATS.items()}


@register.filter
def duration(seconds: float | str | None) -> str:
    """``74.6`` seconds → ``1:14``; below ten ``4.2 s``; empty for a value the template lacks."""
    if seconds is None or isinstance(seconds, str):
        return ""
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


@register.filter
def reading_minutes(words: int) -> int:
    return max(1, round(words / WORDS_A_MINUTE))


@register.filter
def stage_name(stage: str) -> str:
    return STAGE_NAMES.get(stage, stage.capitalize())


@register.filter
def web_address(address: str) -> str:
    """``address`` if it is an HTTP URL, else empty: sources come from the web and from models."""
    return address if address.startswith(("https://", "http://")) else ""


@register.filter
def stated_date(date: str) -> str:
    """The date of a source as the interface shows dates: ``2024-05-31`` → ``31 May 2024``; any other text unchanged."""
    return long_date(date, "en")


@register.filter
def page_of(source: Source, page: int) -> str:
    """The address of a page of a PDF; empty for a source that is not on the web."""
    return web_address(page_link(source.url, page))


@register.filter
def host(address: str) -> str:
    """The site of a URL: ``https://www.example.org/x`` → ``example.org``."""
    try:
        return (urlsplit(address).hostname or "").removeprefix("www.")
    except ValueError:  # such as an unfinished IPv6 address
        return ""
