"""What people and programs can do with articles. The one place, besides the journal, that writes.

Pages, API, admin actions and commands call these; each is one transaction, or says why not.
"""

from articles.runs.outages import models_needed, park_run, wait_with_others
from articles.runs.recovery import hand_over, sweep
from articles.runs.scheduling import runs_per_user, whose_turn
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
from articles.services.runs import JOB, WAITING, cancel_run, enqueue, fail_unclaimed, retry_run, start_run, take_back
from articles.services.texts import BEING_WRITTEN, check_text, save_text

__all__ = [
    "BEING_WRITTEN",
    "DOCUMENTS",
    "JOB",
    "LEAST_WORDS",
    "MOST_WORDS",
    "WAITING",
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
    "enqueue",
    "fail_unclaimed",
    "hand_over",
    "models_needed",
    "park_run",
    "passages_read",
    "redo_outline",
    "retry_run",
    "runs_per_user",
    "save_text",
    "share_out",
    "start_run",
    "sweep",
    "take_back",
    "wait_with_others",
    "whose_turn",
]
