"""The API's documentation matches the API: the guide, the OpenAPI schema and the documentation page."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from articles.api.schemas.articles import BriefIn
from articles.exports import FORMATS
from contentstudio.api_errors import MESSAGES

GUIDE = (Path(settings.BASE_DIR) / "docs" / "api.md").read_text()

pytestmark = pytest.mark.django_db


def schema() -> dict[str, Any]:
    described: dict[str, Any] = Client().get("/api/openapi.json").json()
    return described


def test_the_guide_lists_exactly_the_endpoints() -> None:
    documented = set(re.findall(r"^\| `(GET|POST|PATCH|DELETE) (/api/[^`]*)`", GUIDE, re.MULTILINE))
    existing = {(method.upper(), path) for path, methods in schema()["paths"].items() for method in methods}
    assert documented == existing


def test_the_guide_says_what_only_the_pages_can_do() -> None:
    (missing,) = re.findall(r"^Not available over the API: (.*?)\. Use the pages", GUIDE, re.MULTILINE)
    assert missing == "uploading documents and managing API keys"
    described = schema()
    for path, methods in described["paths"].items():
        assert "key" not in path
        assert all(
            each.get("requestBody", {}).get("content", {}).keys() <= {"application/json"} for each in methods.values()
        )
    for needed in ("/api/articles/{article_id}/write-again", "/api/voices"):
        assert needed in described["paths"]


def test_the_guide_documents_every_field_of_the_brief() -> None:
    (brief,) = re.findall(r"articles/create -d '(\{.*?\})'", GUIDE, re.DOTALL)
    assert BriefIn.model_validate_json(brief)
    assert set(re.findall(r'^  "(\w+)"', brief, re.MULTILINE)) == BriefIn.model_fields.keys()


def test_the_guide_lists_every_error_status() -> None:
    assert {int(code) for code in re.findall(r"`(\d{3})` [a-z]", GUIDE.partition("## Errors")[2])} >= MESSAGES.keys()


def test_the_schema_has_limits_and_errors() -> None:
    described = schema()
    topic = described["components"]["schemas"]["BriefIn"]["properties"]["topic"]
    assert (topic["minLength"], topic["maxLength"]) == (5, 500)
    create = described["paths"]["/api/articles/create"]["post"]
    assert create["operationId"] == "article_create"
    assert create["responses"].keys() == {"201", "400", "401", "413", "422", "429"}
    assert "Retry-After" in create["responses"]["429"]["headers"]
    assert "429" not in described["paths"]["/api/health"]["get"]["responses"]


def test_the_schema_declares_exports_as_files_of_the_types_that_are_sent() -> None:
    content = schema()["paths"]["/api/articles/{article_id}/export/{format}"]["get"]["responses"]["200"]["content"]
    assert next(iter(content)) == "application/octet-stream", (
        "clients that read text or JSON first fail with the bytes of a PDF"
    )
    assert set(content) == {
        "application/octet-stream",
        *(each.media_type.partition(";")[0] for each in FORMATS.values()),
    }
    assert all(kind == {"schema": {"type": "string", "format": "binary"}} for kind in content.values())


def test_the_root_links_to_every_endpoint() -> None:
    client = Client()
    root = client.get("/api/").json()
    assert root.keys() == {"name", "links"}
    for name, address in root["links"].items():
        assert address.startswith("http://testserver/api/")
        assert client.get(address).status_code == (401 if name == "articles" else 200)


def test_the_root_tells_the_version_with_a_key_only(api: Client) -> None:
    assert api.get("/api/").json()["version"] == settings.VERSION


@pytest.mark.parametrize("page", ["docs", "redoc"])
def test_the_documentation_loads_nothing_external_and_has_no_inline_script(page: str) -> None:
    response = Client().get(f"/api/{page}")
    html = response.content.decode()
    assert "script-src 'self'" in response["Content-Security-Policy"]
    assert not re.search(r"(src|href)=\"(https?:)?//", html)
    for opening, inside in re.findall(r"<script([^>]*)>(.*?)</script>", html, re.DOTALL):
        assert not inside.strip() or "application/json" in opening
