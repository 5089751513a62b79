"""How well an article is prepared for search: a score, and the points it is made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from articles.seo import metadata_rules, text_rules
from articles.seo.check_result import CheckResult, Verdict, good, warn
from articles.seo.internal_links import LinkSuggestion
from articles.seo.parsed_article import ParsedArticle

VERDICT_SCORES: dict[Verdict, float] = {"good": 1.0, "warn": 0.5, "bad": 0.0}


@dataclass(frozen=True)
class Rule:
    """``weight`` is its share of a hundred, for the ``reason``."""

    name: str
    weight: int
    reason: str
    check: Callable[[ParsedArticle], list[CheckResult]]


RULES = (
    Rule("Title length", 9, "The title is read first, and cut where it is too long.", metadata_rules.title_length),
    Rule("Description length", 7, "It decides whether a result is opened.", metadata_rules.description_length),
    Rule("Slug", 5, "A short address can be read, said and remembered.", metadata_rules.slug),
    Rule("Keywords", 4, "What is not named cannot be looked after.", metadata_rules.keywords),
    Rule("Keyword in title", 10, "No other place tells as much what a page is about.", metadata_rules.keyword_in_title),
    Rule(
        "Keyword in description",
        5,
        "Results print the words searched for in bold.",
        metadata_rules.keyword_in_description,
    ),
    Rule("Keyword in slug", 4, "The address is shown with the result.", metadata_rules.keyword_in_slug),
    Rule("Keyword at the beginning", 8, "Who came for it sees to be right here.", text_rules.keyword_at_the_beginning),
    Rule(
        "Keyword in a heading",
        6,
        "Readers skim headings, and search engines weigh them.",
        text_rules.keyword_in_a_heading,
    ),
    Rule("Keyword density", 8, "A text that repeats itself for machines is read by none.", text_rules.keyword_density),
    Rule("Heading order", 6, "Screen readers and search engines follow the levels.", text_rules.heading_order),
    Rule("Heading spacing", 7, "A reader on a screen looks for a place to begin.", text_rules.heading_spacing),
    Rule("Paragraphs", 5, "Long blocks are passed over.", text_rules.paragraph_length),
    Rule(
        "Image", 5, "A card without a picture is seldom opened, nor one read that is not described.", text_rules.picture
    ),
    Rule("References", 5, "Sources are what trust rests on.", text_rules.references),
    Rule("Text length", 3, "The brief knows how much the subject needs.", text_rules.text_length),
)
INTERNAL_LINKS = "Internal links"
INTERNAL_LINKS_WEIGHT = 3  # they lead readers and crawlers on; little, as there may be nothing to link to


@dataclass(frozen=True)
class Report:
    """``score`` is 0–100: of the weights of the rules that apply, how much was earned by the worst finding of each."""

    score: int
    results: list[CheckResult]

    @property
    def good(self) -> list[CheckResult]:
        return self._with_verdict("good")

    @property
    def warn(self) -> list[CheckResult]:
        return self._with_verdict("warn")

    @property
    def bad(self) -> list[CheckResult]:
        return self._with_verdict("bad")

    def _with_verdict(self, verdict: Verdict) -> list[CheckResult]:
        return [result for result in self.results if result.verdict == verdict]


def build_report(parsed: ParsedArticle, suggestions: Sequence[LinkSuggestion], base_url: str = "") -> Report:
    checked = [(rule.name, rule.weight, rule.check(parsed)) for rule in RULES]
    checked.append((INTERNAL_LINKS, INTERNAL_LINKS_WEIGHT, internal_links(parsed, suggestions, base_url)))
    results, earned, possible = list[CheckResult](), 0.0, 0
    for rule, weight, found in checked:
        results += [replace(result, rule=rule) for result in found]
        if found:
            possible += weight
            earned += weight * min(VERDICT_SCORES[result.verdict] for result in found)
    return Report(round(100 * earned / possible) if possible else 0, results)


def internal_links(parsed: ParsedArticle, suggestions: Sequence[LinkSuggestion], base_url: str) -> list[CheckResult]:
    """Says nothing where there is no link and no other article to link to."""
    site = urlsplit(base_url).netloc
    within = sum(address.startswith("/") or bool(site and _host(address) == site) for address in parsed.links)
    if within:
        return good("links", f"{within} to the same site.")
    if suggestions:
        return warn("links", "None leads to another article of yours.", "See the suggestions below.")
    return []


def _host(address: str) -> str:
    try:
        return urlsplit(address).netloc
    except ValueError:  # such as an unfinished IPv6 address
        return ""
