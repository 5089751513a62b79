"""``python -m tests.browser.screenshots docs/screenshots``: the studio's pages with factory-made articles, as PNG files."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

os.environ["SCREENSHOTS"] = str(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/screenshots").resolve())
os.environ["SCREENSHOTS_MORE"] = " ".join(sys.argv[2:])
sys.exit(pytest.main(["-q", "-p", "no:cacheprovider", str(Path(__file__).with_name("take.py"))]))
