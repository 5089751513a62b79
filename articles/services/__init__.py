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
    MAX_SECTION_WORDS,
    MIN_SECTION_WORDS,
    approve_outline,
    distribute_words,
    passages_by_id,
    regenerate_outline,
)
from articles.services.runs import cancel_run, retry_run, start_run
from articles.services.texts import BEING_WRITTEN, check_can_save, save_text

__all__ = [
    "BEING_WRITTEN",
    "DOCUMENTS",
    "MAX_SECTION_WORDS",
    "MIN_SECTION_WORDS",
    "NewSource",
    "add_source",
    "approve_outline",
    "cancel_run",
    "change_brief",
    "check_can_save",
    "check_document",
    "create_article",
    "delete_article",
    "delete_articles",
    "distribute_words",
    "passages_by_id",
    "regenerate_outline",
    "retry_run",
    "save_text",
    "start_run",
]
