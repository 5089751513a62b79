"""The first login is created once, readable by its owner only, and deleted when its password is changed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client

from articles.models import ApiKey
from contentstudio.runtime.first_login import create_first_login
from tests.factories import StaffFactory, UserFactory

pytestmark = pytest.mark.django_db
NEW = "another horse, another staple"


@pytest.fixture(autouse=True)
def file(settings: Any, tmp_path: Path) -> Path:
    settings.FIRST_LOGIN_FILE = tmp_path / "first-login.txt"
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}  # nothing was collected
    settings.STORAGES = {**settings.STORAGES, "staticfiles": plain}
    return settings.FIRST_LOGIN_FILE  # type: ignore[no-any-return]


def first_login(file: Path) -> dict[str, str]:
    return dict(re.findall(r"^(.+?): (.+)$", file.read_text(), re.MULTILINE))


@pytest.fixture
def admin(client: Client, file: Path, django_capture_on_commit_callbacks: Any) -> Client:
    """Signed in with the first password."""
    create_first_login()
    login = first_login(file)
    response = client.post("/sign-in/", {"username": login["user"], "password": login["password"]}, follow=True)
    assert response.status_code == 200
    return client


def test_it_opens_the_pages_and_the_api(file: Path) -> None:
    assert create_first_login()
    login = first_login(file)
    user = authenticate(username=login["user"], password=login["password"])
    assert isinstance(user, User)
    assert user.is_superuser
    key = ApiKey.objects.match(login["API key"])
    assert key is not None
    assert key.user == user


def test_only_its_owner_can_read_the_file(file: Path) -> None:
    file.write_text("user: admin\npassword: of an older installation\n")
    file.chmod(0o644)
    create_first_login()
    assert first_login(file).keys() == {"user", "password", "API key"}
    assert file.stat().st_mode & 0o777 == 0o600


def test_it_is_not_created_if_there_are_users(file: Path) -> None:
    User.objects.create_user("someone")
    assert not create_first_login()
    assert not file.exists()


def test_no_user_is_created_if_the_file_cannot_be_written(settings: Any, tmp_path: Path) -> None:
    settings.FIRST_LOGIN_FILE = tmp_path / "missing" / "first-login.txt"
    with pytest.raises(FileNotFoundError):
        create_first_login()
    assert not User.objects.exists()


def test_whoever_signs_in_with_it_is_asked_to_change_it(admin: Client, file: Path) -> None:
    admin.logout()
    login = first_login(file)
    response = admin.post("/sign-in/", {"username": login["user"], "password": login["password"]}, follow=True)
    assert "Change it in the menu under your name" in response.content.decode()


def test_others_are_not_asked(client: Client) -> None:
    create_first_login()
    user = UserFactory.create()
    user.set_password(NEW)
    user.save()
    response = client.post("/sign-in/", {"username": user.username, "password": NEW}, follow=True)
    assert response.status_code == 200
    assert "Change it in the menu" not in response.content.decode()


def change_on_its_page(admin: Client, old: str) -> None:
    admin.post("/account/password/", {"oldpassword": old, "password1": NEW, "password2": NEW})


def change_in_the_admin(admin: Client, old: str) -> None:
    other = Client()
    other.force_login(StaffFactory.create(is_superuser=True))
    user = User.objects.get(username="admin")
    address = f"/admin/auth/user/{user.pk}/password/"
    other.post(address, {"usable_password": "true", "password1": NEW, "password2": NEW})


@pytest.mark.parametrize("change", [change_on_its_page, change_in_the_admin])
def test_the_file_is_deleted_when_the_password_is_changed(
    admin: Client, file: Path, change: Any, django_capture_on_commit_callbacks: Any
) -> None:
    old = first_login(file)["password"]
    with django_capture_on_commit_callbacks(execute=True):
        change(admin, old)
    assert authenticate(username="admin", password=NEW) is not None
    assert not file.exists()


def test_the_file_stays_while_the_password_does(
    admin: Client, file: Path, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        user = User.objects.get(username="admin")
        user.email = "admin@example.com"
        user.save()
        admin.force_login(user)
        create_other_user()
    assert file.exists()


def create_other_user() -> None:
    call_command("createsuperuser", interactive=False, username="other", email="other@example.com")
