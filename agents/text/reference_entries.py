"""Entries of the list of references: ``Title. Publisher, author, date. Link. Page.``"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from agents.contract import Source
from agents.text.escaping import autolink, escape_markdown
from agents.text.locales import long_date
from agents.text.reference_words import ReferenceWords, reference_words
from agents.text.syntax import STOPS

TITLE_CHARACTERS, NAME_CHARACTERS = 200, 100


def reference_entry(source: Source, pages: Collection[int], language: str) -> str:
    """One line of Markdown in ``language``. ``pages`` are the cited ones of a PDF; the link leads to the first of them.

    When the source was read is said only of a link without a date, and of a source with nothing but a title.
    """
    words = reference_words(language)
    read = source.read_at.date().isoformat()
    link = autolink(page_link(source.url, min(pages, default=0)))
    names = dict.fromkeys(name.strip() for name in (source.publisher, source.author) if name.strip())
    details = [escape_markdown(_shortened(name, NAME_CHARACTERS)) for name in names]
    if source.date.strip():
        details.append(long_date(escape_markdown(_shortened(source.date, NAME_CHARACTERS)), language))
    elif link:
        details.append(words.accessed.format(long_date(read, language)))
    if not details:
        undescribed = words.accessed if source.brief_source is None else words.given
        details.append(undescribed.format(long_date(read, language)))
    parts = (
        escape_markdown(_shortened(source.title, TITLE_CHARACTERS)) or words.untitled,
        _capitalized(words.comma.join(details)),
        link,
        page_numbers(pages, words),
    )
    return "".join(_with_stop(part, words) for part in parts if part).rstrip()


def page_link(url: str, page: int) -> str:
    """``url`` with the page of a PDF, unless it names a place already. ``page`` is 0 for other documents."""
    return f"{url}#page={page}" if url and page and "#" not in url else url


def page_numbers(pages: Collection[int], words: ReferenceWords) -> str:
    """Such as ``pp. 4, 7–9``; empty without pages."""
    if not pages:
        return ""
    ranges = [str(first) if first == last else f"{first}–{last}" for first, last in _ranges(sorted(set(pages)))]
    return (words.page if len(set(pages)) == 1 else words.pages).format(words.comma.join(ranges))


def _ranges(numbers: list[int]) -> Iterator[tuple[int, int]]:
    first = last = numbers[0]
    for number in numbers[1:]:
        if number != last + 1:
            yield first, last
            first = number
        last = number
    yield first, last


def _with_stop(part: str, words: ReferenceWords) -> str:
    stop = words.stop
    return part + (stop.lstrip(".") if part.endswith(tuple(STOPS)) else stop)


def _capitalized(text: str) -> str:
    return text[:1].upper() + text[1:]


def _shortened(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"
