"""Makes untrusted text and addresses safe within Markdown."""

from __future__ import annotations

import re
from urllib.parse import quote, urlsplit

_SPECIAL = re.compile(r"[\\`*_\[\]<>|~^$@]|&(?=[#\w]+;)")
_LIST_OPENING = re.compile(r"^(\(?(?:[0-9]{1,9}|[a-z]|[ivxlcdm]{1,9}|[A-Z](?=\))))([.)])(?=\s|$)")
_BLOCK_OPENING = re.compile(r"^([#+=:%-])")
_SAFE_IN_URL = "%/:?#[]@!$&'()*+,;=~-._"
# Control characters, and those that change the direction of what follows them.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def escape_markdown(text: str) -> str:
    """``text`` as one line of Markdown that shows exactly these characters, anywhere in a paragraph."""
    line = " ".join(_CONTROL.sub(" ", text).split())
    line = _SPECIAL.sub(lambda special: "\\" + special[0], line)
    return _BLOCK_OPENING.sub(r"\\\1", _LIST_OPENING.sub(r"\1\\\2", line))


def escape_prose(text: str) -> str:
    """Like ``escape_markdown``, for sentences of the article: dollar signs stay as they are in the rest of its text."""
    return escape_markdown(text).replace("\\$", "$")


def autolink(url: str) -> str:
    """``url`` as a Markdown autolink; empty unless it is a valid http or https address."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or not parts.netloc:
        return ""
    return f"<{quote(_CONTROL.sub('', url), safe=_SAFE_IN_URL)}>"
