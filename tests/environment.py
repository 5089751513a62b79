"""Puts the environment in order and only then reads Django's settings. ``conftest.py`` imports this before anything else.

What a developer has in ``.env`` or in the shell must not reach the tests, and no test may reach the developer's ``var/``.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from pathlib import Path

import django
import pytest
from django.conf import settings

ROOT = Path(__file__).resolve().parent.parent
SETTINGS = re.findall(r"^#? ?([A-Z][A-Z0-9_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)


def put_in_order() -> Path:
    """Leave no setting but DATABASE_URL, which chooses the store the tests run on; the tests' own ``var/``."""
    if "contentstudio.settings" in sys.modules:
        raise pytest.UsageError("Django's settings were read too early. Unset DJANGO_SETTINGS_MODULE.")
    for name in SETTINGS:
        if name != "DATABASE_URL":
            os.environ.pop(name, None)
    var = Path(tempfile.mkdtemp(prefix="studio-test-"))
    os.environ.update(
        DJANGO_SETTINGS_MODULE="contentstudio.settings",
        ENV_FILE=os.devnull,
        VAR=str(var),
        SEARCH_PROVIDER="none",  # a test that searches brings a provider of its own
        DJANGO_ALLOW_ASYNC_UNSAFE="true",  # Playwright's synchronous API leaves a running loop in the tests' thread
    )
    return var


VAR = put_in_order()
SHARED = Path(os.environ.setdefault("STUDIO_TESTS_SHARED", str(VAR)))
"""A directory that all processes of a test run share: the one that starts them makes it."""
django.setup()
settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # quick: passwords here guard nothing
# Read and done with. Left in place, a pytest process that we start would read the settings before it comes here.
del os.environ["DJANGO_SETTINGS_MODULE"]
