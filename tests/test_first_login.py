"""The first login: made once, told once, kept where only its owner reads it."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.models import User

from articles.models import ApiKey
from contentstudio.runtime.first_login import create_first_login

pytestmark = pytest.mark.django_db


def test_it_opens_the_pages_and_the_api(tmp_path):
    login = create_first_login(tmp_path / "first-login.txt")
    assert login is not None
    user = authenticate(username=login.user, password=login.password)
    assert isinstance(user, User)
    assert user.is_superuser
    key = ApiKey.objects.match(login.api_key)
    assert key is not None
    assert key.user == user


def test_the_file_has_all_of_it_for_its_owner_only(tmp_path):
    path = tmp_path / "first-login.txt"
    path.write_text("of an older installation")
    path.chmod(0o644)
    login = create_first_login(path)
    assert login is not None
    told = dict(re.findall(r"^(.+?): (.+)$", path.read_text(), re.MULTILINE))
    assert told == {"user": login.user, "password": login.password, "API key": login.api_key}
    assert path.stat().st_mode & 0o777 == 0o600


def test_it_is_made_only_where_there_is_nobody_yet(tmp_path):
    User.objects.create_user("someone")
    assert create_first_login(tmp_path / "first-login.txt") is None
    assert not (tmp_path / "first-login.txt").exists()


def test_no_user_is_made_whose_password_could_not_be_told(tmp_path):
    with pytest.raises(FileNotFoundError):
        create_first_login(tmp_path / "missing" / "first-login.txt")
    assert not User.objects.exists()
