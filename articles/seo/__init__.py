"""SEO: the score and advice for an article, its structured data, social tags and link suggestions.

Computed from the row on each request and never stored, because people edit their texts.
"""

from __future__ import annotations

from articles.seo.analysis import SeoAnalysis
from articles.seo.check_result import CheckResult
from articles.seo.internal_links import LinkSuggestion
from articles.seo.parsed_article import Heading
from articles.seo.report import Report
from articles.seo.social_tags import meta_tags, open_graph
from articles.seo.stored import seo_of
from articles.seo.structured_data import byline, json_ld, script_safe

__all__ = [
    "CheckResult",
    "Heading",
    "LinkSuggestion",
    "Report",
    "SeoAnalysis",
    "byline",
    "json_ld",
    "meta_tags",
    "open_graph",
    "script_safe",
    "seo_of",
]
