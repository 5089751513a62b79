"""What search engines and cards make of an article as it stands now, and what would make it better.

Worked out from the row when it is asked for, never stored: people edit their texts. :class:`Examination` reads a text once
for several answers; the functions answer one question each.
"""

from __future__ import annotations

from articles.seo.cards import meta_tags, open_graph
from articles.seo.examination import Examination, headings, internal_links, report
from articles.seo.linking import Suggestion
from articles.seo.page import Heading
from articles.seo.report import Point, Report
from articles.seo.stored import seo_of
from articles.seo.structured import json_ld, script_safe

__all__ = [
    "Examination",
    "Heading",
    "Point",
    "Report",
    "Suggestion",
    "headings",
    "internal_links",
    "json_ld",
    "meta_tags",
    "open_graph",
    "report",
    "script_safe",
    "seo_of",
]
