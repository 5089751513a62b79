"""Removes links a model invented: addresses that were neither read nor given."""

from __future__ import annotations

import re
from collections.abc import Collection

from agents.text.markdown import map_prose

_LINK = re.compile(
    r"(?P<image>!?)\[(?P<words>[^\[\]\n]{0,300})\]\(\s{0,3}<?(?P<url>https?://[^\s()<>]*(?:\([^\s()<>]*\)[^\s()<>]*)*)>?[^()\n]{0,200}\)"
)
_BARE = re.compile(r"[ \t]?<?(?P<url>https?://[^\s<>()\[\]]*[^\s<>()\[\].,;:!?\"'”’»])>?")
_EMPTY = re.compile(r"[ \t]?\(\s{0,3}\)")


def strip_unknown_links(text: str, known: Collection[str]) -> str:
    """``text`` without addresses that are not in ``known``: of a link its words stay, a bare address goes. Code is left alone."""
    allowed = {_comparable(url) for url in known}

    def keep_link(link: re.Match[str]) -> str:
        if _comparable(link["url"]) in allowed:
            return link[0]
        return "" if link["image"] else link["words"]

    def keep_bare(bare: re.Match[str]) -> str:
        before = bare.string[: bare.start("url")].rstrip("<")
        is_target = before.endswith("](")
        return bare[0] if is_target or _comparable(bare["url"]) in allowed else ""

    def clean(prose: str) -> str:
        found = _BARE.sub(keep_bare, _LINK.sub(keep_link, prose))
        return found if found == prose else _EMPTY.sub("", found)

    return map_prose(text, clean)


def _comparable(url: str) -> str:
    """``url`` without what does not change the page: scheme, "www.", fragment and a final slash."""
    return re.sub(r"\Ahttps?://(?:www\.)?", "", url.partition("#")[0]).rstrip("/").casefold()
