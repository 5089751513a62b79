"""Sets the environment of the tests before Django's settings are read. ``conftest.py`` imports it first.

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


def set_environment() -> Path:
    """Removes all settings except DATABASE_URL, which selects the database of the tests, and sets their ``var/``."""
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
        SEARCH_PROVIDER="none",  # a test that searches has its own provider
        DJANGO_ALLOW_ASYNC_UNSAFE="true",  # Playwright's synchronous API leaves a running loop in the tests' thread
    )
    return var


VAR = set_environment()
SHARED = Path(os.environ.setdefault("STUDIO_TESTS_SHARED", str(VAR)))
"""A directory shared by all processes of a test run; the first one creates it."""
django.setup()
settings.PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.MD5PasswordHasher"
]  # fast, because test passwords protect nothing
# Read and done with. Left in place, a pytest process that we start would read the settings before it comes here.
del os.environ["DJANGO_SETTINGS_MODULE"]
