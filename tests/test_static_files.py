"""Static files are collected once, and again when one of them changes."""

from __future__ import annotations

import gzip
import json
import re
from hashlib import sha256
from pathlib import Path

from django.conf import settings
from django.test import override_settings

from contentstudio.runtime.static import collect_static_files


def test_they_are_collected_again_if_one_has_changed(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "page.css").write_text("a { color: red }")
    with override_settings(
        STATIC_ROOT=tmp_path / "collected",
        STATICFILES_DIRS=[source],
        STATICFILES_FINDERS=["django.contrib.staticfiles.finders.FileSystemFinder"],
    ):
        assert collect_static_files(tmp_path / "stamp")
        assert not collect_static_files(tmp_path / "stamp")
        (source / "page.css").write_text("a { color: green }")
        assert collect_static_files(tmp_path / "stamp")
        (kept,) = (tmp_path / "collected").glob("page.*.css")
        assert "green" in kept.read_text()


BUILT = {"codemirror-6.43.15.min.js": "db95924f1be0cdab9fd44d248f884d7eb097fff4ac4aeca4221d7f867340f77f"}
"""SHA-256 of files that a script in ``setup`` builds."""


def test_built_files_are_what_their_script_makes() -> None:
    vendor = Path(settings.BASE_DIR) / "static" / "vendor"
    found = {path.name for path in vendor.glob("codemirror-*.js")}
    assert {name: sha256((vendor / name).read_bytes()).hexdigest() for name in found} == BUILT


def test_the_versions_of_built_files_are_pinned() -> None:
    package = json.loads((Path(settings.BASE_DIR) / "setup" / "editor" / "package.json").read_text())
    locked = json.loads((Path(settings.BASE_DIR) / "setup" / "editor" / "package-lock.json").read_text())["packages"]
    pinned = package["devDependencies"]
    assert {name: locked[f"node_modules/{name}"]["version"] for name in pinned} == pinned
    assert all(each.get("integrity") for path, each in locked.items() if path)


def test_the_editors_page_is_small() -> None:
    """Scripts and style sheets of the edit page, compressed. Fonts are loaded by every page, and kept by the browser."""
    template = Path(settings.BASE_DIR) / "templates"
    names = re.findall(r"static '([^']+\.(?:js|css))'", "".join(
        (template / name).read_text() for name in ("base.html", "articles/text_edit.html")
    ))  # fmt: skip
    size = sum(len(gzip.compress((Path(settings.BASE_DIR) / "static" / name).read_bytes())) for name in names)
    assert len(names) > 10
    assert size < 200_000
