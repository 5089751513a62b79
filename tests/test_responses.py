"""Headers that all responses have."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client

from tests.environment import ROOT
from tests.factories import StaffFactory, UserFactory, make_article, make_completed_article

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _plain_static_files(settings: Any) -> None:
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": plain}


@pytest.fixture
def writer() -> User:
    return UserFactory.create()


@pytest.fixture
def page(client: Client, writer: User) -> Client:
    client.force_login(writer)
    return client


@pytest.mark.parametrize(
    "path",
    ["/", "/articles/new/", "{article}", "{article}text/", "{article}download/md", "/api/articles/", "/nowhere/"],
)
def test_no_page_is_stored_by_a_browser_or_proxy(page: Client, writer: User, path: str) -> None:
    response = page.get(path.format(article=make_completed_article(writer).get_absolute_url()))
    assert response.headers["Cache-Control"].startswith("private"), response.headers["Cache-Control"]
    assert "no-store" in response.headers["Cache-Control"] or path.startswith("/api/")


def test_a_header_of_a_view_is_kept(page: Client, writer: User) -> None:
    name = default_storage.save(f"covers/{make_article(writer).pk}/a.png", ContentFile(b"an image"))
    assert "immutable" in page.get(f"/media/{name}").headers["Cache-Control"]


def test_browser_features_are_withdrawn(page: Client) -> None:
    assert "camera=()" in page.get("/").headers["Permissions-Policy"]


@pytest.mark.parametrize(("https", "prefix"), [("true", "__Host-"), ("false", "")])
def test_with_https_cookies_are_bound_to_the_host(https: str, prefix: str) -> None:
    script = "from contentstudio import settings as s; print(s.SESSION_COOKIE_NAME, s.CSRF_COOKIE_NAME)"
    environment = {"HTTPS": https, "ENV_FILE": "/dev/null", "PATH": "", "SECRET_KEY": "x"}
    output = subprocess.check_output([sys.executable, "-c", script], cwd=ROOT, env=environment, text=True)
    assert output.split() == [f"{prefix}sessionid", f"{prefix}csrftoken"]


def test_a_number_of_many_digits_is_no_error(page: Client, writer: User) -> None:
    address = f"{make_article(writer).get_absolute_url()}live?after={'9' * 5000}"
    assert page.get(address).status_code == 200


def test_the_admin_links_to_nothing_that_has_no_table(client: Client) -> None:
    """django-rq's models have none."""
    from django.contrib.contenttypes.models import ContentType

    client.force_login(StaffFactory.create())
    for found in ContentType.objects.all():
        assert client.get(f"/admin/r/{found.pk}/1/").status_code == 404, found
