"""Rules about how an article is message of: title, description, address and keywords."""

from __future__ import annotations

from agents.contract import SEO
from agents.text.keyword_match import mentions
from agents.text.seo import DESCRIPTION, KEYWORDS, SLUG_LENGTH, SLUG_WORDS, TITLE, Range, display_width, slug_of
from articles.seo.check_result import CheckResult, bad, good, warn
from articles.seo.parsed_article import ParsedArticle

SLACK = 0.2  # a length this much outside its limits is a blemish, more is a fault


def title_length(parsed: ParsedArticle) -> list[CheckResult]:
    return _length("title", parsed.seo.title, TITLE) if parsed.seo else []


def description_length(parsed: ParsedArticle) -> list[CheckResult]:
    return _length("description", parsed.seo.meta_description, DESCRIPTION) if parsed.seo else []


def _length(place: str, text: str, limits: Range) -> list[CheckResult]:
    length = display_width(text)
    message = f"{length} characters."
    if limits.low <= length <= limits.high:
        return good(place, message)
    verdict = warn if limits.low * (1 - SLACK) <= length <= limits.high * (1 + SLACK) else bad
    change = "Lengthen" if length < limits.low else "Shorten"
    return verdict(place, message, f"{change} it to between {limits.low} and {limits.high}.")


def slug(parsed: ParsedArticle) -> list[CheckResult]:
    if not parsed.seo:
        return []
    address = parsed.seo.slug
    words = [word for word in address.split("-") if word]
    if not words:
        return bad("slug", "There is none.", f"Give it {SLUG_WORDS.low} to {SLUG_WORDS.high} words of the title.")
    if len(words) > SLUG_WORDS.high or len(address) > SLUG_LENGTH:
        message = f"{len(words)} words, {len(address)} characters."
        return warn("slug", message, f"Keep the {SLUG_WORDS.high} words that say most.")
    return good("slug", f"{len(words)} word{'' if len(words) == 1 else 's'}, {len(address)} characters.")


def keywords(parsed: ParsedArticle) -> list[CheckResult]:
    if not parsed.seo:
        return []
    named = [keyword.casefold().strip() for keyword in parsed.seo.keywords]
    if not any(named):
        return bad("keywords", "There are none.", "Name what a reader would search for, the most important first.")
    if len(set(named)) < len(named):
        return warn("keywords", "One stands there more than once.", "Keep each once.")
    if len(named) > KEYWORDS.high:
        return warn("keywords", f"There are {len(named)}.", f"Keep the {KEYWORDS.high} that matter most.")
    return good("keywords", f"{len(named)}, the primary one “{parsed.primary_keyword}”.")


def keyword_in_title(parsed: ParsedArticle) -> list[CheckResult]:
    return _keyword(parsed, "title", parsed.seo.title if parsed.seo else "")


def keyword_in_description(parsed: ParsedArticle) -> list[CheckResult]:
    return _keyword(parsed, "description", parsed.seo.meta_description if parsed.seo else "")


def keyword_in_slug(parsed: ParsedArticle) -> list[CheckResult]:
    if not parsed.seo:
        return []
    return _keyword(parsed, "slug", _spoken_slug(parsed.seo, parsed.primary_keyword))


def _keyword(parsed: ParsedArticle, place: str, text: str) -> list[CheckResult]:
    keyword = parsed.primary_keyword
    if not keyword:
        return []
    if mentions(text, keyword):
        return good(place, f"It speaks of “{keyword}”.")
    return warn(place, f"It does not speak of “{keyword}”.", "Work the primary keyword in where it reads naturally.")


def _spoken_slug(seo: SEO, keyword: str) -> str:
    """The slug's words; those of the keyword with their accents, where the slug has them without."""
    words = seo.slug.replace("-", " ")
    return f"{words} {keyword}" if slug_of(keyword) in seo.slug else words
