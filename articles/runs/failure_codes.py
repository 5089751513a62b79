"""Why runs failed, in a few classes to count by. A run keeps the sentence its reader was shown; here it is sorted."""

from __future__ import annotations

import re

CLASSES = {
    "worker_lost": r"^The worker died",
    "studio": r"^Something went wrong in the studio",
    "nothing_to_read": r"^No source could be read|^The sources hold fewer",
    "incomplete": r"^Nothing was written|words asked for|not write in the language|^The article was to|^The sources hold no",
    "quota": r"quota is used up",
    "filtered": r"content filter|declined to answer",
    "rate_limit": r"limits how often",
    "too_long": r"too long for|cut at its limit of tokens|has no end",
    "refused": r"key was refused|key may not use|knows no model|refused the request",
    "silent": r"did not answer in time|fell silent",
    "unreachable": r"cannot be reached|name of the model's server|certificate|does not speak TLS|no address",
    "overloaded": r"overloaded|server failed|broke off",
    "bad_answer": r"in the form asked for|something that cannot be read|answered with nothing",
}
"""Class → what its sentences hold; the first that fits counts. From “quota” on they are the model's."""

OTHER = "other"

_PATTERNS = {name: re.compile(pattern) for name, pattern in CLASSES.items()}


def class_of(reason: str) -> str:
    return next((name for name, pattern in _PATTERNS.items() if pattern.search(reason)), OTHER)
