"""The SEO score of an article, and the rules it is computed from."""

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
    """``check`` returns no result if the rule does not apply. ``weight`` is a share of 100."""

    name: str
    weight: int
    check: Callable[[ParsedArticle], list[CheckResult]]


RULES = (
    Rule("Title length", 9, metadata_rules.title_length),
    Rule("Description length", 7, metadata_rules.description_length),
    Rule("Slug", 5, metadata_rules.slug),
    Rule("Keywords", 4, metadata_rules.keywords),
    Rule("Keyword in title", 10, metadata_rules.keyword_in_title),
    Rule("Keyword in description", 5, metadata_rules.keyword_in_description),
    Rule("Keyword in slug", 4, metadata_rules.keyword_in_slug),
    Rule("Keyword at the beginning", 8, text_rules.keyword_at_the_beginning),
    Rule("Keyword in a heading", 6, text_rules.keyword_in_a_heading),
    Rule("Keyword density", 8, text_rules.keyword_density),
    Rule("Heading order", 6, text_rules.heading_order),
    Rule("Heading spacing", 7, text_rules.heading_spacing),
    Rule("Paragraphs", 5, text_rules.paragraph_length),
    Rule("Image", 5, text_rules.image),
    Rule("References", 5, text_rules.references),
    Rule("Text length", 3, text_rules.text_length),
)
INTERNAL_LINKS = "Internal links"
INTERNAL_LINKS_WEIGHT = 3  # low, because there may be no other article to link to


@dataclass(frozen=True)
class Report:
    """``score`` is 0–100: the weights of the rules that apply, each counted by the rule's worst result."""

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
    """No result if there is neither a link nor another article to link to."""
    site = urlsplit(base_url).netloc
    number = sum(address.startswith("/") or bool(site and _host(address) == site) for address in parsed.links)
    if number:
        return good("links", f"{number} link{'' if number == 1 else 's'} to the same site.")
    if suggestions:
        return warn("links", "No links to your other articles.", "See the suggestions below.")
    return []


def _host(address: str) -> str:
    try:
        return urlsplit(address).netloc
    except ValueError:  # such as an unfinished IPv6 address
        return ""
