"""These tests make network namespaces, which needs root, and take minutes: only ``make machines`` runs them."""

import os

collect_ignore_glob = [] if "MACHINES" in os.environ else ["test_*.py"]
