"""View models of the article page: stages, outline, draft, evidence, SEO, image and sources.

Pages and fragments render the same object, so that a reloaded page and one that was updated live look the same.
"""

from articles.pages.drafts import DraftSection, draft_html
from articles.pages.parts import Cover, MeasuredText
from articles.pages.step_outputs import section_number, work_of
from articles.pages.view import ArticleView

__all__ = ["ArticleView", "Cover", "DraftSection", "MeasuredText", "draft_html", "section_number", "work_of"]
