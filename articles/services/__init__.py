"""What people and programs can do with articles. The one place, besides the journal, that writes.

Pages, API, admin actions and commands call these; each is one transaction, or says why not.
"""

from articles.services.articles import (
    DOCUMENTS,
    NewSource,
    add_source,
    change_brief,
    check_document,
    create_article,
    delete_article,
    delete_articles,
)
from articles.services.outlines import (
    LEAST_WORDS,
    MOST_WORDS,
    approve_outline,
    passages_read,
    redo_outline,
    share_out,
)
from articles.services.runs import cancel_run, retry_run, start_run
from articles.services.texts import BEING_WRITTEN, check_text, save_text

__all__ = [
    "BEING_WRITTEN",
    "DOCUMENTS",
    "LEAST_WORDS",
    "MOST_WORDS",
    "NewSource",
    "add_source",
    "approve_outline",
    "cancel_run",
    "change_brief",
    "check_document",
    "check_text",
    "create_article",
    "delete_article",
    "delete_articles",
    "passages_read",
    "redo_outline",
    "retry_run",
    "save_text",
    "share_out",
    "start_run",
]
