"""Articles of the compared systems, as they wrote them."""

from __future__ import annotations

from pathlib import Path

from bench.judge.blinding import normalise
from bench.judge.comparison import Comparison

STUDIO = """# What a planted roof is worth

It is 11 °C cooler.[^1] It pays for itself, the traders say.[^2][^1]

| roof | cooler |
|---|---|
| planted | 11 °C[^1] |

[^1]: A trial of planted roofs, Institute for Roofs, 2024, <https://example.org/trial>
[^2]: Green roofs pay for themselves\\. https://roofs.example.com/brochure

*Written with Content Studio*
"""
SINGLE = """---
model: some-model
---
# Plant them

![cover](https://example.org/cover.png)
The [Institute for Roofs](https://example.org/trial) measured 11 °C ([trial](https://example.org/trial), [traders](https://roofs.example.com/brochure)).
Others are [not in the sources](https://other.example.net/page).

## Conclusion

Do it ([trial](https://www.example.org/trial#top)).

## References

- A trial of planted roofs. https://example.org/trial
- Green roofs pay for themselves. https://roofs.example.com/brochure
"""
NUMBERED = """# Plant them

It is cooler [1, 2]. See 2024 [3] and list[0].

**Sources:**
1. A trial of planted roofs
2. https://roofs.example.com/brochure/
"""


def blinded(folder: Path, text: str, language: str = "en") -> str:
    return normalise(text, Comparison.read(folder).sources, language)
