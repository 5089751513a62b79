"""Secrets from the environment, or from files, as Docker, Kubernetes and systemd provide them."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote, urlsplit

from django.core.exceptions import ImproperlyConfigured
from environs import Env

SUFFIX = "_FILE"


def read_secret(env: Env, name: str) -> str:
    """The setting ``name``, or the content of the file that ``name`` + ``_FILE`` names; empty if neither is set.

    Raises ImproperlyConfigured, which names the setting, if both are set or if the file cannot be read or is empty.
    """
    value, file = env.str(name, ""), env.str(f"{name}{SUFFIX}", "")
    if not file:
        return value
    if value:
        raise ImproperlyConfigured(f"{name} and {name}{SUFFIX} are both set. Remove one of them.")
    try:
        content = Path(file).read_text().strip()  # an editor ends the last line; no secret begins or ends with a space
    except (OSError, ValueError) as error:  # ValueError: not text
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ImproperlyConfigured(f"{name}{SUFFIX} is {file}, which cannot be read: {reason}.") from error
    if not content:
        raise ImproperlyConfigured(f"{name}{SUFFIX} is {file}, which is empty.")
    return content


def add_password(url: str, password: str, *, setting: str) -> str:
    """``url`` with ``password`` in it. ``setting`` is the name of the URL's setting up to ``_URL``: DATABASE or REDIS.

    Raises ImproperlyConfigured if there is no URL to add it to, or if the URL has a password already.
    """
    if not password:
        return url
    if not url:
        raise ImproperlyConfigured(f"{setting}_PASSWORD is set, but {setting}_URL is not.")
    parts = urlsplit(url)
    if parts.password:
        raise ImproperlyConfigured(
            f"{setting}_URL contains a password, and {setting}_PASSWORD is set. Remove one of them."
        )
    user, _, host = parts.netloc.rpartition("@")
    return parts._replace(netloc=f"{user.removesuffix(':')}:{quote(password, safe='')}@{host}").geturl()
