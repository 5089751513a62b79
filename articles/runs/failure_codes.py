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
    "rate_limit": r"rate limit",
    "too_long": r"too long for|cut off at the token limit|does not end",
    "refused": r"key is invalid|key may not use|has no model|rejected the request",
    "silent": r"did not answer in time|stopped responding",
    "unreachable": r"cannot be reached|cannot be resolved|certificate|does not speak TLS|not a valid address",
    "overloaded": r"overloaded|server failed|closed the connection",
    "bad_answer": r"invalid JSON|could not be parsed|empty answer",
}
"""Class → what its sentences hold; the first that fits counts. From “quota” on they are the model's."""

OTHER = "other"

_PATTERNS = {name: re.compile(pattern) for name, pattern in CLASSES.items()}


def class_of(reason: str) -> str:
    return next((name for name, pattern in _PATTERNS.items() if pattern.search(reason)), OTHER)
