"""Payloads in every field that people, models and sources fill: no page runs them, or loads anything for them."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page

from articles.models import ApiKey, Article, Source, Voice
from articles.services import save_text
from tests.factories import make_completed_article

PAYLOADS = (
    "<script>window.ran = 1</script>",
    "<img src=x onerror='window.ran = 1'>",
    "\"><svg onload='window.ran = 1'>",
    "' autofocus onfocus='window.ran = 1",
    "</textarea></title></style><script>window.ran = 1</script>",
    "<a href='javascript:window.ran = 1'>x</a>",
    "{{ 7|add:7 }}{% debug %}${window.ran = 1}",
    "<style>@import 'https://evil.example/x.css'</style>",
    "<base href='https://evil.example/'>",
    "[x](javascript:window.ran=1) ![y](https://evil.example/x.png) <https://evil.example>",
    "<iframe srcdoc='<script>parent.ran = 1</script>'></iframe>",
    "<form action='https://evil.example/'><button id='sent'>x</button></form>",
)
ALL = "\n\n".join(PAYLOADS)
SHORT = "".join(PAYLOADS)[:290]
FORBIDDEN = "script:not([src]), iframe, base, style, [onerror], [onload], [onfocus], a[href^='javascript:'], form[action*='evil']"


@pytest.fixture
def article(writer: User) -> Article:
    """An article, its sources, a voice and a key, all of payloads, of a superuser."""
    User.objects.filter(pk=writer.pk).update(
        is_staff=True, is_superuser=True, first_name=SHORT[:140], last_name=SHORT[:140]
    )
    voice = Voice.objects.create(name=SHORT[:90], description=SHORT[:90], samples=ALL, prefer=SHORT[:90])
    article = make_completed_article(writer)
    save_text(article=article, by=writer, title=SHORT, content=f"## {PAYLOADS[1]}\n\n{ALL}", opened_at=1)
    fields = {"topic": SHORT[:250], "tone": SHORT[:90], "target_audience": SHORT[:190], "notes": ALL, "voice": voice}
    Article.objects.filter(pk=article.pk).update(
        **fields, keywords=list(PAYLOADS), message=ALL, notice=ALL, image_alt=SHORT
    )
    Source.objects.create(
        article=article, title=SHORT, text=ALL, url="https://example.org/", publisher=SHORT[:190], author=SHORT[:190]
    )
    ApiKey.objects.issue(writer, SHORT[:90])
    article.refresh_from_db()
    return article


def test_no_page_runs_them(page: Page, article: Article, writer: User) -> None:
    foreign, dialogs = [], []
    page.on("request", lambda request: foreign.append(request.url) if "evil" in request.url else None)
    page.on("dialog", lambda dialog: dialogs.append(dialog.message))
    own = (
        f"/articles/{article.pk}/{rest}"
        for rest in ("", "text/", "revisions/", "revisions/2/", "write-again", "delete")
    )
    admin = (
        f"/admin/articles/article/{article.pk}/change/", "/admin/articles/article/", "/admin/articles/apikey/",
        f"/admin/articles/voice/{Voice.objects.get().pk}/change/", f"/admin/auth/user/{writer.pk}/change/",
        "/admin/accounts/auditentry/",
    )  # fmt: skip
    for path in ("/", "/?q=" + "%3Cscript%3E", *own, "/account/", "/account/keys/", "/articles/new/", *admin):
        response = page.goto(path, wait_until="load")
        assert response is not None
        assert response.status == 200, path
        assert page.evaluate("() => window.ran") is None, path
        assert page.locator(f"main :is({FORBIDDEN})").count() == 0, path
    assert (foreign, dialogs) == ([], [])
