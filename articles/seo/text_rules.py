"""Rules about an article's text: where its keyword stands, how it is divided, what goes with it."""

from __future__ import annotations

from itertools import pairwise

from agents.text.keyword_match import mentions
from articles.seo.check_result import CheckResult, bad, good, top_results, warn
from articles.seo.parsed_article import Heading, ParsedArticle
from articles.seo.phrases import phrase

DENSITY, STUFFED = 0.03, 0.05
"""Shares of the words at which a keyword reads as repeated, and as stuffed."""

STRETCH, LONG_STRETCH = 300, 450
"""Words without a heading that tire a reader on a screen, and that lose one."""

PARAGRAPH, LONG_PARAGRAPH = 150, 200
SHORT, MUCH_TOO_SHORT, LONG = 0.9, 0.75, 1.3
"""Shares of the length asked for."""


def keyword_at_the_beginning(parsed: ParsedArticle) -> list[CheckResult]:
    keyword = parsed.primary_keyword
    if not keyword or not parsed.paragraphs:
        return []
    first = parsed.paragraphs[0]
    if mentions(first.text, keyword):
        return good(first.place, f"The first paragraph speaks of “{keyword}”.")
    return warn(
        first.place, f"The first paragraph does not speak of “{keyword}”.", "Say at once what the text is about."
    )


def keyword_in_a_heading(parsed: ParsedArticle) -> list[CheckResult]:
    keyword = parsed.primary_keyword
    if not keyword or not parsed.headings:
        return []
    found = next((heading for heading in parsed.headings if mentions(heading.text, keyword)), None)
    if found:
        return good(found.place, f"It speaks of “{keyword}”.")
    return warn("headings", f"None speaks of “{keyword}”.", "Name the subject in at least one heading.")


def keyword_density(parsed: ParsedArticle) -> list[CheckResult]:
    looked_for = phrase(parsed.primary_keyword)
    if not looked_for or not parsed.words:
        return []
    times = parsed.searchable.count(looked_for)
    share = times / parsed.words
    if not times:
        message = f"“{parsed.primary_keyword}” does not stand in it."
        return warn("text", message, "Use the words a reader would search for, or choose a keyword that the text uses.")
    message = f"“{parsed.primary_keyword}” stands {_times(times)} in {parsed.words:,} words ({share:.1%})."
    if share > DENSITY:
        return (bad if share > STUFFED else warn)("text", message, "Say it in other words here and there.")
    return good("text", message)


def _times(number: int) -> str:
    return {1: "once", 2: "twice"}.get(number, f"{number} times")


def heading_order(parsed: ParsedArticle) -> list[CheckResult]:
    found = [
        CheckResult(
            heading.place, "warn", "It stands at the level of the title.", "Make it a heading of the second level (##)."
        )
        for heading in parsed.headings
        if heading.level == 1 and heading.text.casefold() != str(parsed.article).casefold()
    ]
    for above, heading in pairwise(parsed.headings):
        if heading.level > above.level + 1:
            message = f"It is of level {heading.level} below one of level {above.level}."
            found.append(
                CheckResult(heading.place, "warn", message, f"Make it level {above.level + 1}: a level is missing.")
            )
    if found or not parsed.headings:
        return top_results(found)
    return good("headings", f"{len(parsed.headings)}, no level skipped.")


def heading_spacing(parsed: ParsedArticle) -> list[CheckResult]:
    if not parsed.words:
        return []
    stretches = [Heading(0, "", parsed.opening), *parsed.headings]
    found = [
        CheckResult(
            stretch.place if stretch.level else "beginning",
            "bad" if stretch.words > LONG_STRETCH else "warn",
            f"{stretch.words:,} words without a heading.",
            f"Divide it: a heading every {STRETCH} words at the latest.",
        )
        for stretch in stretches
        if stretch.words > STRETCH
    ]
    longest = max(stretch.words for stretch in stretches)
    return top_results(found) or good("headings", f"At most {longest:,} words between two of them.")


def paragraph_length(parsed: ParsedArticle) -> list[CheckResult]:
    if not parsed.paragraphs:
        return []
    found = [
        CheckResult(
            paragraph.place,
            "bad" if paragraph.words > LONG_PARAGRAPH else "warn",
            f"{paragraph.words} words.",
            f"Divide it: {PARAGRAPH} words are the most that is read well on a screen.",
        )
        for paragraph in parsed.paragraphs
        if paragraph.words > PARAGRAPH
    ]
    longest = max(paragraph.words for paragraph in parsed.paragraphs)
    return top_results(found) or good("paragraphs", f"The longest has {longest} words.")


def picture(parsed: ParsedArticle) -> list[CheckResult]:
    article, silent = parsed.article, sum(not alt.strip() for alt in parsed.pictures)
    if article.image and not article.image_alt.strip():
        silent += 1
    if silent:
        message = f"{silent} picture{' has' if silent == 1 else 's have'} no description."
        return bad("image", message, "Describe each for those who cannot see it; search engines read it, too.")
    if article.image:
        return good("image", f"It is described: “{article.image_alt}”")
    return warn("image", "There is none.", "Add one: cards that link to the article show it.")


def references(parsed: ParsedArticle) -> list[CheckResult]:
    number = len(parsed.article.references)
    if number:
        return good("references", f"{number} source{' is' if number == 1 else 's are'} cited.")
    return warn(
        "references", "No source is cited.", "Name what the text rests on: readers and search engines trust it more."
    )


def text_length(parsed: ParsedArticle) -> list[CheckResult]:
    asked, words = parsed.article.min_words, parsed.article.word_count
    share, message = words / asked, f"{words:,} words of the {asked:,} asked for."
    if share < SHORT:
        return (bad if share < MUCH_TOO_SHORT else warn)(
            "text", message, "Say more, above all where a question stays open."
        )
    if share > LONG:
        return warn("text", message, "Shorten it, or let the length be what it needs.")
    return good("text", message)
