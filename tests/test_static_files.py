"""Static files are collected once, and again when one of them changes."""

from __future__ import annotations

from pathlib import Path

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
