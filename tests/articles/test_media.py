"""Pictures are served to those who may see their article, and nothing else is."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client

from articles.models import ApiKey
from tests.factories import UserFactory, make_article

pytestmark = pytest.mark.django_db(transaction=True)


class TestMedia:
    @pytest.fixture
    def picture(self, writer: User) -> str:
        article = make_article(writer)
        return default_storage.save(f"covers/{article.pk}/abc.png", ContentFile(b"\x89PNG\r\n\x1a\n"))

    def test_the_owner_gets_it_to_keep(self, page: Client, picture: str) -> None:
        response = page.get(f"/media/{picture}")
        assert b"".join(response.streaming_content).startswith(b"\x89PNG")  # type: ignore[attr-defined]
        assert response["Content-Type"] == "image/png"
        assert response["X-Content-Type-Options"] == "nosniff"
        assert response["Cache-Control"] == "private, max-age=31536000, immutable"

    def test_an_api_key_gets_it(self, client: Client, writer: User, picture: str) -> None:
        _, key = ApiKey.objects.issue(writer, "script")
        response = client.get(f"/media/{picture}", headers={"Authorization": f"Bearer {key}"})
        assert response.status_code == 200
        response.close()

    def test_nobody_else_gets_it(self, client: Client, picture: str) -> None:
        assert client.get(f"/media/{picture}").status_code == 404
        client.force_login(UserFactory.create())
        assert client.get(f"/media/{picture}").status_code == 404

    @pytest.mark.parametrize(
        "name",
        [
            "covers/{article}/missing.png",
            "covers/{article}/../../secret-key",
            "covers/{article}/..%2f..%2fstudio.png",
            "covers/{article}/abc.svg",
            "covers/{article}/",
            "covers/²/abc.png",
            "uploads/notes.pdf",
            "../secret-key",
            "/etc/passwd",
            "%00.png",
            "covers/{article}/a%00.png",
            "covers/{article}/a%0a.png",
        ],
    )
    def test_no_other_name_is_served(self, page: Client, picture: str, name: str) -> None:
        number = picture.split("/")[1]
        assert page.get("/media/" + name.format(article=number)).status_code == 404
