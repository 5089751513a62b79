"""What people and programs can do with articles: the only writers besides ``articles.runs``.

Pages, API, admin actions and commands call these. Each either completes, or raises a StudioError and changes nothing.
"""

from articles.services.articles import (
    change_brief,
    change_brief_and_start,
    create_article,
    delete_article,
    delete_articles,
    estimate_cost,
)
from articles.services.briefs import BriefInput, field_limits
from articles.services.documents import document_problems
from articles.services.merging import Choice
from articles.services.outlines import (
    MAX_SECTION_WORDS,
    MIN_SECTION_WORDS,
    approve_outline,
    distribute_words,
    moved_with_sections,
    passages_by_id,
    regenerate_outline,
)
from articles.services.revisions import MAX_NAME, Name, name_revision, restore_changes, restore_revision
from articles.services.runs import cancel_run, keep_text, retry_run, start_run
from articles.services.sources import (
    DOCUMENT_SUFFIXES,
    NewSource,
    SourceInput,
    check_text_total,
    check_total,
    copied_sources,
)
from articles.services.text_edits import MergeConflict, SavedText, TextMerge, merged_with_newest, save_edit
from articles.services.texts import BEING_WRITTEN, MAX_CONTENT, Content, TextInput, Title, check_can_save, save_text
from articles.services.unsaved_texts import ChangedElsewhere, discard_unsaved, keep_unsaved, unsaved_text

__all__ = [
    "BEING_WRITTEN",
    "DOCUMENT_SUFFIXES",
    "MAX_CONTENT",
    "MAX_NAME",
    "MAX_SECTION_WORDS",
    "MIN_SECTION_WORDS",
    "BriefInput",
    "ChangedElsewhere",
    "Choice",
    "Content",
    "MergeConflict",
    "Name",
    "NewSource",
    "SavedText",
    "SourceInput",
    "TextInput",
    "TextMerge",
    "Title",
    "approve_outline",
    "cancel_run",
    "change_brief",
    "change_brief_and_start",
    "check_can_save",
    "check_text_total",
    "check_total",
    "copied_sources",
    "create_article",
    "delete_article",
    "delete_articles",
    "discard_unsaved",
    "distribute_words",
    "document_problems",
    "estimate_cost",
    "field_limits",
    "keep_text",
    "keep_unsaved",
    "merged_with_newest",
    "moved_with_sections",
    "name_revision",
    "passages_by_id",
    "regenerate_outline",
    "restore_changes",
    "restore_revision",
    "retry_run",
    "save_edit",
    "save_text",
    "start_run",
    "unsaved_text",
]
