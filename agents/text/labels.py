"""Detects sentences that say they are the author's own reasoning or arithmetic, in English and German."""

from __future__ import annotations

import re

_NUMBER = r"[€$£]?\s?\d[\d.,\u00a0 ]{0,20}(?:\s?(?:%|[^\W\d_]{1,12}\.?)){0,3}"
_LABEL = re.compile(
    r"(?:\b(?:my|our) (?:own )?|(?<!its )(?<!their )(?<![’']s )\bown )(?:rough )?"
    r"(?:calculations?|arithmetic|estimates?|reckoning|reasoning|reading|view|judge?ment|inference|conclusion|assumptions?)\b"
    r"|\b(?:worked example|rough arithmetic|rough calculation|back-of-the-envelope)\b"
    r"|\A(?:calculation|arithmetic|own reasoning|inference|assumption|assuming|as an example)\b"
    r"|\b(?:we|I) (?:infer|conclude|assume|reckon|calculate|estimate)\b"
    r"|\b(?:eigene|unsere|meine)[rn]? (?:grobe[rn]? )?"
    r"(?:Be)?(?:rechnung|rechnungen|Schätzung|Überlegung|Annahme|Einschätzung|Schlussfolgerung|Schluss|Lesart|Ansicht|Meinung)\b"
    r"|\b(?:Rechenbeispiel|Beispielrechnung|Überschlagsrechnung|überschlägig|überschlagen|grob gerechnet)\b"
    r"|\A(?:Rechnung|Annahme|Angenommen)\b"
    r"|\bwir (?:schließen|folgern|nehmen an|rechnen)\b",
    re.IGNORECASE,
)
_EXPRESSION = re.compile(
    rf"{_NUMBER}\s?[×÷∙·*]\s?{_NUMBER}(?:\s?=|[^()]{{0,60}}\))|\d[^()\n]{{0,40}}[×÷+−–-]\s?{_NUMBER}\s?=\s?"
)


def is_own_reasoning(sentence: str) -> bool:
    """Whether ``sentence`` is labelled as such, or shows a calculation such as (3,000 × 0.30)."""
    return _LABEL.search(sentence) is not None or _EXPRESSION.search(sentence) is not None
