"""A person's data: exported completely, deleted completely, and nothing of anybody else."""

from __future__ import annotations

import io
import json
import re
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.storage import storages
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from accounts.models import AuditAction, AuditEntry, DataExport
from accounts.personal_data.archive import write_archive
from accounts.personal_data.exports import clean_up_exports, make_next_export, request_export
from articles.services import save_text
from tests.accounts.people import ready_export, text
from tests.factories import StaffFactory
from tests.signed_in import sign_in

pytestmark = pytest.mark.django_db


def archive_of(user: User) -> dict[str, str]:
    file = io.BytesIO()
    write_archive(user, file)
    with zipfile.ZipFile(file) as archive:
        return {name: archive.read(name).decode("utf-8", "replace") for name in archive.namelist()}


class TestTheArchive:
    def test_it_holds_everything_of_the_person_and_nothing_of_others(self, ada: User, bob: User) -> None:
        found = archive_of(ada)
        names = sorted(re.sub(r"/\d+-", "/", name) for name in found)
        assert [name for name in names if "/" not in name] == [
            "README.txt", "account.json", "audit.json", "edits-of-others.json", "unsaved-texts.json",
        ]  # fmt: skip
        assert any(name.endswith("article.md") for name in names)
        assert any(re.search(r"/sources/notes.*\.txt$", name) for name in names)
        assert any(name.endswith("/images/a.png") or "/images/a_" in name for name in names)
        assert any(name.endswith("/revisions/2.md") for name in names)
        whole = "\n".join(found.values())
        texts = ("Waiting ada", "pasted by ada", "notes of ada", "typed by ada", "## Edited by ada")
        for expected in (*texts, "key of ada", "192.0.2.7"):
            assert expected in whole
        assert "bob" not in whole

    def test_it_holds_no_secret(self, ada: User) -> None:
        whole = "\n".join(archive_of(ada).values())
        ada.refresh_from_db()
        secrets = [ada.password, ada.api_keys.get().key_hash, "fernet:"]
        assert [secret for secret in secrets if secret in whole] == []

    def test_every_table_that_belongs_to_users_is_in_it_or_known_not_to(self, ada: User) -> None:
        """A new relation to users must be exported, or be named here."""
        elsewhere = {
            "emailaddress",  # the address is the user's
            "logentry",  # the audit log has the same
            "socialtoken",
            "run",  # with its article
            "dataexport",
        }
        related = {relation.related_model._meta.model_name for relation in User._meta.related_objects}
        account = json.loads(archive_of(ada)["account.json"])
        exported = {"authenticator", "usersession", "socialaccount", "apikey", "spendinglimit", "quota", "spending"}
        assert len(account) == len(exported) + 2  # the user, and the exports
        assert related - elsewhere - exported == {"article", "revision", "auditentry", "unsavedtext"}

    def test_texts_saved_in_articles_of_others(self, ada: User, bob: User) -> None:
        article = bob.articles.exclude(content="").get()
        save_text(article=article, by=ada, title="T", content="## Ada was here", opened_at=2)
        (edit,) = json.loads(archive_of(ada)["edits-of-others.json"])
        assert (edit["article"], edit["content"]) == (article.pk, "## Ada was here")


class TestTheExport:
    @pytest.fixture
    def page(self, client: Client, ada: User) -> Client:
        sign_in(client, ada)
        return client

    def test_it_is_requested_made_and_downloaded(self, page: Client, ada: User) -> None:
        assert page.post("/account/data/export").status_code == 302
        assert "is being made" in text(page.get("/account/data/"))
        assert make_next_export()
        assert not make_next_export()
        export = DataExport.objects.get()
        assert f"/account/data/{export.pk}/download" in text(page.get("/account/data/", headers={"HX-Request": "true"}))
        answer = page.get(f"/account/data/{export.pk}/download")
        body = b"".join(answer.streaming_content)  # type: ignore[attr-defined]
        assert zipfile.ZipFile(io.BytesIO(body)).testzip() is None
        assert "no-store" in answer["Cache-Control"]
        actions = AuditEntry.objects.filter(user=ada).values_list("action", flat=True)
        assert {AuditAction.DATA_EXPORTED, AuditAction.DATA_DOWNLOADED} <= set(actions)

    def test_it_needs_a_fresh_confirmation(self, client: Client, ada: User) -> None:
        export = ready_export(ada)
        sign_in(client, ada, seconds_ago=3600)
        for answer in (client.post("/account/data/export"), client.get(f"/account/data/{export.pk}/download")):
            assert answer.status_code == 302
            assert answer["Location"].startswith("/sign-in/confirm/")
        assert DataExport.objects.count() == 1

    def test_others_cannot_download_it_and_superusers_can(self, ada: User, bob: User) -> None:
        export = ready_export(ada)
        expected = {bob: 404, StaffFactory.create(is_superuser=False): 404, StaffFactory.create(): 200}
        for user, status in expected.items():
            client = Client()
            sign_in(client, user)
            assert client.get(f"/account/data/{export.pk}/download").status_code == status

    def test_the_link_ends_after_three_days_and_so_does_the_file(self, page: Client, ada: User) -> None:
        export = ready_export(ada)
        DataExport.objects.update(finished_at=timezone.now() - DataExport.KEPT - timedelta(minutes=1))
        assert page.get(f"/account/data/{export.pk}/download").status_code == 404
        clean_up_exports()
        assert not DataExport.objects.exists()
        assert not storages["uploads"].exists(export.file)

    def test_a_file_without_a_row_is_removed(self, ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
        export = ready_export(ada)
        DataExport.objects.all().delete()
        clean_up_exports()
        assert storages["uploads"].exists(export.file), "it may just be written"
        monkeypatch.setattr("accounts.personal_data.exports.GIVEN_UP", timedelta(seconds=-1))
        assert clean_up_exports() >= 1
        assert not storages["uploads"].exists(export.file)

    def test_only_one_waits_and_a_killed_one_is_made_again(self, ada: User) -> None:
        first = request_export(ada, by=ada)
        assert request_export(ada, by=ada) == first
        DataExport.objects.update(started_at=timezone.now())
        assert not make_next_export(), "another sweeper makes it"
        DataExport.objects.update(started_at=timezone.now() - timedelta(hours=2))
        assert make_next_export()
        assert DataExport.objects.get().is_ready

    def test_a_failure_is_shown(self, page: Client, ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
        def broken(*args: Any) -> None:
            raise OSError("disk full")

        monkeypatch.setattr("accounts.personal_data.exports.write_archive", broken)
        request_export(ada, by=ada)
        assert make_next_export()
        assert "The export could not be made" in text(page.get("/account/data/"))

    def test_administrators_request_it(self, client: Client, ada: User) -> None:
        sign_in(client, StaffFactory.create())
        form = {"action": "export_data", "_selected_action": [ada.pk]}
        assert client.post("/admin/auth/user/", form).status_code == 302
        assert make_next_export()
        assert f"/account/data/{DataExport.objects.get().pk}/download" in text(
            client.get("/admin/accounts/dataexport/")
        )

    def test_the_command_writes_it(self, ada: User, tmp_path: Path) -> None:
        path = tmp_path / "ada.zip"
        call_command("personaldata", "export", "ada", str(path))
        assert path.stat().st_mode & 0o777 == 0o600
        assert zipfile.ZipFile(path).testzip() is None
        with pytest.raises(CommandError, match="cannot be written"):
            call_command("personaldata", "export", "ada", str(path))
