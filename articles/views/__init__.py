"""The HTML views. A page is a noun, an action a verb; each finds, authorises, calls a service and renders."""

from articles.views.account import account, api_keys, revoke_api_key
from articles.views.actions import cancel_run, delete_article, keep_text, retry_run
from articles.views.articles import (
    article_detail,
    article_evidence,
    article_list,
    article_live,
    article_new,
    article_titles,
    duplicate_brief,
    write_again,
)
from articles.views.costs import brief_estimate
from articles.views.media import media
from articles.views.outline import approve_outline, outline_edit, outline_words
from articles.views.revisions import (
    article_origins,
    name_revision,
    restore_change,
    restore_revision,
    revision_compare,
    revision_detail,
    revision_list,
)
from articles.views.text import article_download, text_edit, text_preview, text_sources
from articles.views.unsaved_texts import discard_unsaved_text, keep_unsaved_text

__all__ = [
    "account",
    "api_keys",
    "approve_outline",
    "article_detail",
    "article_download",
    "article_evidence",
    "article_list",
    "article_live",
    "article_new",
    "article_origins",
    "article_titles",
    "brief_estimate",
    "cancel_run",
    "delete_article",
    "discard_unsaved_text",
    "duplicate_brief",
    "keep_text",
    "keep_unsaved_text",
    "media",
    "name_revision",
    "outline_edit",
    "outline_words",
    "restore_change",
    "restore_revision",
    "retry_run",
    "revision_compare",
    "revision_detail",
    "revision_list",
    "revoke_api_key",
    "text_edit",
    "text_preview",
    "text_sources",
    "write_again",
]
