"""What a page shows of an article and of its latest run: stages, outline, draft, evidence, SEO, picture and sources.

Pages and fragments render the same object, so that a page loaded anew and one that was kept up to date look the same.
"""

from articles.pages.drafts import DraftSection, draft_html
from articles.pages.step_outputs import section_number, work_of
from articles.pages.view import ArticleView, Cover, MeasuredText

__all__ = ["ArticleView", "Cover", "DraftSection", "MeasuredText", "draft_html", "section_number", "work_of"]
