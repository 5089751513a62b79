"""SEO rules for an article's text: keyword use, headings, paragraphs, images, sources and length."""

from __future__ import annotations

from itertools import pairwise

from agents.text.keyword_match import mentions
from articles.seo.check_result import CheckResult, Verdict, bad, good, top_results, warn
from articles.seo.parsed_article import Heading, ParsedArticle
from articles.seo.phrases import phrase

DENSITY, MAX_DENSITY = 0.03, 0.05
"""Shares of all words above which a keyword is a warning, and bad."""

SECTION_WORDS, MAX_SECTION_WORDS = 300, 450
"""Words without a heading above which a section is a warning, and bad."""

PARAGRAPH_WORDS, MAX_PARAGRAPH_WORDS = 150, 200
SHORT, MUCH_TOO_SHORT, LONG = 0.9, 0.75, 1.3
"""Shares of the length asked for."""


def keyword_at_the_beginning(parsed: ParsedArticle) -> list[CheckResult]:
    keyword = parsed.primary_keyword
    if not keyword or not parsed.paragraphs:
        return []
    first = parsed.paragraphs[0]
    if mentions(first.text, keyword):
        return good(first.place, f"The first paragraph contains “{keyword}”.")
    return warn(
        first.place, f"“{keyword}” is missing from the first paragraph.", "Say there what the article is about."
    )


def keyword_in_a_heading(parsed: ParsedArticle) -> list[CheckResult]:
    keyword = parsed.primary_keyword
    if not keyword or not parsed.headings:
        return []
    for heading in parsed.headings:
        if mentions(heading.text, keyword):
            return good(heading.place, f"This heading contains “{keyword}”.")
    return warn("headings", f"“{keyword}” is missing from the headings.", "Add it to at least one of them.")


def keyword_density(parsed: ParsedArticle) -> list[CheckResult]:
    keyword = phrase(parsed.primary_keyword)
    if not keyword or not parsed.words:
        return []
    times = parsed.searchable.count(keyword)
    if not times:
        message = f"“{parsed.primary_keyword}” does not appear in the text."
        return warn("text", message, "Use the words readers search for, or choose a keyword that the text uses.")
    share, count = times / parsed.words, {1: "once", 2: "twice"}.get(times, f"{times} times")
    message = f"“{parsed.primary_keyword}” appears {count} in {parsed.words:,} words ({share:.1%})."
    if share > DENSITY:
        return (bad if share > MAX_DENSITY else warn)("text", message, "Replace it with other words in some places.")
    return good("text", message)


def heading_order(parsed: ParsedArticle) -> list[CheckResult]:
    title = str(parsed.article).casefold()
    found = [
        CheckResult(heading.place, "warn", "This heading has the level of the title.", "Make it level 2 (##).")
        for heading in parsed.headings
        if heading.level == 1 and heading.text.casefold() != title
    ]
    for previous, heading in pairwise(parsed.headings):
        if heading.level > previous.level + 1:
            message = f"This heading is level {heading.level}, the one before it level {previous.level}."
            found.append(CheckResult(heading.place, "warn", message, f"Make it level {previous.level + 1}."))
    if found or not parsed.headings:
        return top_results(found)
    return good("headings", f"{len(parsed.headings)}, with no level skipped.")


def heading_spacing(parsed: ParsedArticle) -> list[CheckResult]:
    if not parsed.words:
        return []
    sections = [Heading(0, "", parsed.opening), *parsed.headings]
    found = [
        CheckResult(
            section.place if section.level else "beginning",
            _graded(section.words, MAX_SECTION_WORDS),
            f"{section.words:,} words without a heading.",
            f"Split this section: add a heading at least every {SECTION_WORDS} words.",
        )
        for section in sections
        if section.words > SECTION_WORDS
    ]
    longest = max(section.words for section in sections)
    return top_results(found) or good("headings", f"No more than {longest:,} words between two headings.")


def paragraph_length(parsed: ParsedArticle) -> list[CheckResult]:
    if not parsed.paragraphs:
        return []
    found = [
        CheckResult(
            paragraph.place,
            _graded(paragraph.words, MAX_PARAGRAPH_WORDS),
            f"{paragraph.words} words.",
            f"Split this paragraph: over {PARAGRAPH_WORDS} words is hard to read on a screen.",
        )
        for paragraph in parsed.paragraphs
        if paragraph.words > PARAGRAPH_WORDS
    ]
    longest = max(paragraph.words for paragraph in parsed.paragraphs)
    return top_results(found) or good("paragraphs", f"The longest has {longest} words.")


def _graded(words: int, maximum: int) -> Verdict:
    return "bad" if words > maximum else "warn"


def image(parsed: ParsedArticle) -> list[CheckResult]:
    article, undescribed = parsed.article, sum(not alt.strip() for alt in parsed.images)
    if article.image and not article.image_alt.strip():
        undescribed += 1
    if undescribed:
        message = f"{undescribed} image{' has' if undescribed == 1 else 's have'} no alt text."
        return bad("image", message, "Describe what it shows: screen readers and search engines read it.")
    if article.image:
        return good("image", f"The alt text is “{article.image_alt}”.")
    return warn("image", "The article has no image.", "Add one: it is shown when somebody shares the article.")


def references(parsed: ParsedArticle) -> list[CheckResult]:
    number = len(parsed.article.references)
    if number:
        return good("references", f"{number} source{' is' if number == 1 else 's are'} cited.")
    return warn("references", "No sources are cited.", "Cite some: readers and search engines trust the article more.")


def text_length(parsed: ParsedArticle) -> list[CheckResult]:
    asked, words = parsed.article.min_words, parsed.article.word_count
    share, message = words / asked, f"{words:,} words; the brief asks for {asked:,}."
    if share < SHORT:
        return (bad if share < MUCH_TOO_SHORT else warn)("text", message, "Expand it where questions are left open.")
    if share > LONG:
        return warn("text", message, "Shorten it, unless the subject needs the length.")
    return good("text", message)
