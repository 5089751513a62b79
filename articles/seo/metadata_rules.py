"""SEO rules for an article's metadata: title, description, slug and keywords."""

from __future__ import annotations

from agents.text.keyword_match import mentions
from agents.text.seo import DESCRIPTION, KEYWORDS, SLUG_LENGTH, SLUG_WORDS, TITLE, Range, display_width, slug_of
from articles.seo.check_result import CheckResult, bad, good, warn
from articles.seo.parsed_article import ParsedArticle

TOLERANCE = 0.2  # a length is a warning up to this share outside its range, and bad beyond


def title_length(parsed: ParsedArticle) -> list[CheckResult]:
    return _length("title", parsed.seo.title, TITLE) if parsed.seo else []


def description_length(parsed: ParsedArticle) -> list[CheckResult]:
    return _length("description", parsed.seo.meta_description, DESCRIPTION) if parsed.seo else []


def _length(place: str, text: str, limits: Range) -> list[CheckResult]:
    length = display_width(text)
    message = f"{length} characters."
    if limits.low <= length <= limits.high:
        return good(place, message)
    verdict = warn if limits.low * (1 - TOLERANCE) <= length <= limits.high * (1 + TOLERANCE) else bad
    change = "Lengthen" if length < limits.low else "Shorten"
    return verdict(place, message, f"{change} it to {limits.low} to {limits.high} characters.")


def slug(parsed: ParsedArticle) -> list[CheckResult]:
    if not parsed.seo:
        return []
    words = [word for word in parsed.seo.slug.split("-") if word]
    if not words:
        return bad("slug", "The slug is empty.", f"Use {SLUG_WORDS.low} to {SLUG_WORDS.high} words of the title.")
    message = f"{len(words)} word{'' if len(words) == 1 else 's'}, {len(parsed.seo.slug)} characters."
    if len(words) > SLUG_WORDS.high or len(parsed.seo.slug) > SLUG_LENGTH:
        return warn("slug", message, f"Keep the {SLUG_WORDS.high} most important words.")
    return good("slug", message)


def keywords(parsed: ParsedArticle) -> list[CheckResult]:
    if not parsed.seo:
        return []
    named = [keyword.casefold().strip() for keyword in parsed.seo.keywords]
    if not any(named):
        return bad("keywords", "There are no keywords.", "Add what readers search for, the most important first.")
    if len(set(named)) < len(named):
        return warn("keywords", "A keyword is listed more than once.", "Keep each keyword once.")
    if len(named) > KEYWORDS.high:
        return warn("keywords", f"{len(named)} keywords.", f"Keep the {KEYWORDS.high} most important ones.")
    return good("keywords", f"{len(named)}, with “{parsed.primary_keyword}” as the primary one.")


def keyword_in_title(parsed: ParsedArticle) -> list[CheckResult]:
    return _keyword(parsed, "title", parsed.seo.title if parsed.seo else "")


def keyword_in_description(parsed: ParsedArticle) -> list[CheckResult]:
    return _keyword(parsed, "description", parsed.seo.meta_description if parsed.seo else "")


def keyword_in_slug(parsed: ParsedArticle) -> list[CheckResult]:
    if not parsed.seo:
        return []
    words, keyword = parsed.seo.slug.replace("-", " "), parsed.primary_keyword
    # A slug has lost the accents that the keyword may have.
    return _keyword(parsed, "slug", f"{words} {keyword}" if slug_of(keyword) in parsed.seo.slug else words)


def _keyword(parsed: ParsedArticle, place: str, text: str) -> list[CheckResult]:
    keyword = parsed.primary_keyword
    if not keyword:
        return []
    if mentions(text, keyword):
        return good(place, f"The {place} contains “{keyword}”.")
    return warn(place, f"“{keyword}” is missing from the {place}.", "Add it where it reads naturally.")
