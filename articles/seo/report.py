"""How well an article is prepared for search: a score, and the points it is made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from articles.seo import body, description
from articles.seo.finding import Finding, Verdict, good, warn
from articles.seo.linking import Suggestion
from articles.seo.page import Page

WORTH: dict[Verdict, float] = {"good": 1.0, "warn": 0.5, "bad": 0.0}


@dataclass(frozen=True)
class Rule:
    """``weight`` is its share of a hundred, for the ``reason``."""

    name: str
    weight: int
    reason: str
    check: Callable[[Page], list[Finding]]


RULES = (
    Rule("Title length", 9, "The title is read first, and cut where it is too long.", description.title_length),
    Rule("Description length", 7, "It decides whether a result is opened.", description.description_length),
    Rule("Slug", 5, "A short address can be read, said and remembered.", description.slug),
    Rule("Keywords", 4, "What is not named cannot be looked after.", description.keywords),
    Rule("Keyword in title", 10, "No other place tells as much what a page is about.", description.keyword_in_title),
    Rule(
        "Keyword in description", 5, "Results print the words searched for in bold.", description.keyword_in_description
    ),
    Rule("Keyword in slug", 4, "The address is shown with the result.", description.keyword_in_slug),
    Rule("Keyword at the beginning", 8, "Who came for it sees to be right here.", body.keyword_at_the_beginning),
    Rule("Keyword in a heading", 6, "Readers skim headings, and search engines weigh them.", body.keyword_in_a_heading),
    Rule("Keyword density", 8, "A text that repeats itself for machines is read by none.", body.keyword_density),
    Rule("Heading order", 6, "Screen readers and search engines follow the levels.", body.heading_order),
    Rule("Heading spacing", 7, "A reader on a screen looks for a place to begin.", body.heading_spacing),
    Rule("Paragraphs", 5, "Long blocks are passed over.", body.paragraph_length),
    Rule("Image", 5, "A card without a picture is seldom opened, nor one read that is not described.", body.picture),
    Rule("References", 5, "Sources are what trust rests on.", body.references),
    Rule("Text length", 3, "The brief knows how much the subject needs.", body.text_length),
)
INTERNAL_LINKS = "Internal links"
INTERNAL_LINKS_WEIGHT = 3  # they lead readers and crawlers on; little, as there may be nothing to link to


@dataclass(frozen=True)
class Point:
    """One finding, with the ``rule`` it follows from."""

    rule: str
    place: str
    verdict: Verdict
    told: str
    advice: str = ""


@dataclass(frozen=True)
class Report:
    """``score`` is 0–100: of the weights of the rules that apply, how much was earned by the worst finding of each."""

    score: int
    points: list[Point]

    @property
    def good(self) -> list[Point]:
        return self._judged("good")

    @property
    def warn(self) -> list[Point]:
        return self._judged("warn")

    @property
    def bad(self) -> list[Point]:
        return self._judged("bad")

    def _judged(self, verdict: Verdict) -> list[Point]:
        return [point for point in self.points if point.verdict == verdict]


def judge(page: Page, suggestions: Sequence[Suggestion], base_url: str = "") -> Report:
    judged = [(rule.name, rule.weight, rule.check(page)) for rule in RULES]
    judged.append((INTERNAL_LINKS, INTERNAL_LINKS_WEIGHT, internal_links(page, suggestions, base_url)))
    points, earned, possible = [], 0.0, 0
    for rule, weight, findings in judged:
        points += [Point(rule, found.place, found.verdict, found.told, found.advice) for found in findings]
        if findings:
            possible += weight
            earned += weight * min(WORTH[found.verdict] for found in findings)
    return Report(round(100 * earned / possible) if possible else 0, points)


def internal_links(page: Page, suggestions: Sequence[Suggestion], base_url: str) -> list[Finding]:
    """Says nothing where there is no link and no other article to link to."""
    site = urlsplit(base_url).netloc
    within = sum(address.startswith("/") or bool(site and _host(address) == site) for address in page.links)
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
