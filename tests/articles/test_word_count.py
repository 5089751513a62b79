"""Every part of the studio counts the same number of words for a text."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from agents.contract import Brief, OutlineSection
from agents.exceptions import ManuscriptIncomplete
from agents.text.manuscript import check_complete, notices
from agents.text.markdown import count_words
from articles.pages.drafts import DraftSection
from articles.quality import ScoredText, score_text
from articles.services import save_text
from tests.factories import UserFactory, make_completed_article, make_manuscript

pytestmark = pytest.mark.django_db

TEXT = """## What a *roof* carries

A saturated bed weighs 95 kg on each m².[^1] Read [the survey](https://example.org/roofs) and `code here`.[^2]

| material | weight |
|---|---|
| soil | 90 kg |

- ~~soil~~
- **plants** &amp; stones

```
x = 1
```

![A picture of a roof](/media/roof.png)

[^1]: “Loads of planted beds” (read 22 November 2026).
[^2]: “City roofs surveyed”, <https://example.org/roofs>.
    More words about the survey.
"""
WORDS = 4 + 9 + 6 + 5 + 3 + 2  # heading, two sentences, table, list, code


def test_markup_and_footnotes_are_not_words() -> None:
    assert count_words(TEXT) == WORDS


def test_citation_marks_are_not_words() -> None:
    assert count_words("Roofs hold rain [S1]. Gardens [S2, S3] grow.") == 5


def test_every_count_of_a_text_is_the_same(client: Client) -> None:
    owner: User = UserFactory.create()
    article = make_completed_article(owner)
    save_text(article=article, by=owner, title="A title", content=TEXT, opened_at=1)
    client.force_login(owner)
    preview = client.post(reverse("text_preview", args=[article.pk]), {"content": TEXT}).content.decode()
    shown = re.search(r"data-words=.(\d+)", preview)
    section = OutlineSection(heading="A heading")
    draft = DraftSection(
        number=1, heading=section.heading, purpose="", state="written", step="write:1", begun="", markdown=TEXT
    )
    brief, manuscript = Brief(topic="Roofs", min_words=300), make_manuscript(TEXT)
    with pytest.raises(ManuscriptIncomplete) as refused:
        check_complete(brief, manuscript, has_model=True)
    counts = {
        "stored": article.word_count,
        "event": article.events.latest("seq").payload["message"],
        "preview": shown[1] if shown else None,
        "draft": draft.words,
        "quality": score_text(ScoredText(title="A title", content=TEXT, asked=300)).words,
        "refused": str(refused.value),
        "notice": notices(brief, manuscript, has_model=False)[1],
    }
    assert counts == {
        "stored": WORDS,
        "event": f"Revision 2 was saved by {owner.username}: {WORDS} words",
        "preview": str(WORDS),
        "draft": WORDS,
        "quality": WORDS,
        "refused": f"The model wrote {WORDS} of the 300 words you asked for."
        " Try again, ask for fewer, or use another model.",
        "notice": f"The article has {WORDS} of the 300 words you asked for: its sources hold no more."
        " Add sources for a longer article.",
    }
