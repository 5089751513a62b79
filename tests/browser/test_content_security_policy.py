"""Every kind of page works under the Content-Security-Policy, which has no exemption. The browser reports what it refuses."""

from __future__ import annotations

import re

import django_rq
import pytest
from django.contrib.auth.models import User
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from playwright.sync_api import BrowserContext, Page, Response

from articles.models import ApiKey, Article, Quota, Voice
from tests.factories import make_completed_article

PUBLIC = ("/sign-in/", "/sign-in/password/", "/sign-up/", "/api/docs", "/api/redoc", "/api/", "/nowhere")
PAGES = (
    *("/", "/articles/new/", "/account/", "/account/keys/", "/account/password/", "/account/sessions/"),
    *("/account/security/", "/account/security/app/add/", "/account/security/passkeys/add/"),
)
OF_AN_ARTICLE = ("", "evidence/", "origins/", "text/", "revisions/", "revisions/1/", "write-again", "delete")


@pytest.fixture
def article(writer: User) -> Article:
    User.objects.filter(pk=writer.pk).update(is_staff=True, is_superuser=True)
    return make_completed_article(writer)


def strict(policy: str) -> bool:
    """Only own files; for styles also a nonce, and the hashes of those that are known."""
    found = dict(part.strip().partition(" ")[::2] for part in policy.split(";"))
    scripts, styles = found["script-src"], re.sub(r" '(nonce|sha256)-[\w+/=-]{16,}'", "", found["style-src"])
    return (found["default-src"], scripts, styles) == ("'none'", "'self'", "'self'") and "unsafe" not in policy


def visit(page: Page, path: str) -> Response:
    response = page.goto(path, wait_until="load")
    assert response is not None
    assert strict(response.headers.get("content-security-policy", "default-src")), path
    return response


def admin_lists() -> list[str]:
    """All addresses of the administration without arguments, but those that do not show a page."""

    def walk(patterns: list[URLPattern | URLResolver], prefix: str) -> list[str]:
        found = []
        for pattern in patterns:
            path = prefix + str(pattern.pattern).strip("^$")
            if isinstance(pattern, URLResolver):
                found += walk(pattern.url_patterns, path)
            elif "<" not in path and "(" not in path:
                found.append("/" + path.replace("\\Z", ""))
        return found

    skipped = r"logout|jsi18n|autocomplete|login|stats.json|metrics|prometheus"
    return [
        path
        for path in walk(get_resolver().url_patterns, "")
        if path.startswith("/admin/") and not re.search(skipped, path)
    ]


@pytest.mark.parametrize("path", [*PUBLIC, *PAGES])
def test_pages_of_the_studio(page: Page, article: Article, path: str, expected_problems: list[str]) -> None:
    if path == "/nowhere":
        expected_problems.append("404 (Not Found)")
    visit(page, path)


def test_pages_of_an_article(page: Page, article: Article) -> None:
    for rest in OF_AN_ARTICLE:
        assert visit(page, f"/articles/{article.pk}/{rest}").status == 200, rest


def test_pages_of_the_administration(page: Page, article: Article, writer: User, expected_problems: list[str]) -> None:
    expected_problems.append("403 (Forbidden)")  # of rows that nobody adds by hand
    key = ApiKey.objects.issue(writer, "tests")[0]
    quota, voice = Quota.objects.create(user=writer), Voice.objects.create(name="Plain")
    rows = [*(("articles", row) for row in (article, key, quota, voice)), ("auth", writer)]
    forms = [reverse(f"admin:{app}_{row._meta.model_name}_change", args=[row.pk]) for app, row in rows]
    statuses = [visit(page, path).status for path in (*admin_lists(), *forms)]
    assert set(statuses) == {200, 403}
    assert statuses.count(200) > 20


def test_pages_about_queues(page: Page, article: Article, expected_problems: list[str]) -> None:
    expected_problems.append("reading 'dataset'")  # Django's script for lists does not find one on django-rq's pages
    django_rq.get_queue("articles").enqueue("agents.worker.jobs.run_next", 1)
    names = (
        "jobs",
        "failed_jobs",
        "finished_jobs",
        "started_jobs",
        "deferred_jobs",
        "scheduled_jobs",
        "workers",
        "clear",
    )
    for path in (reverse("admin:django_rq_home"), *(reverse(f"admin:django_rq_{name}", args=[0]) for name in names)):
        assert visit(page, path).status == 200, path


def test_the_browser_refuses_inline_code(context: BrowserContext) -> None:
    """The policy is in force: a page in which something is injected does not run it."""
    page = context.new_page()
    page.goto("/sign-in/")
    page.evaluate(
        "() => { const s = document.createElement('script'); s.textContent = 'window.ran = 1'; document.body.append(s); }"
    )
    page.evaluate("() => { document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"window.ran = 1\">'); }")
    page.wait_for_timeout(300)
    assert page.evaluate("() => window.ran") is None
    page.close()
