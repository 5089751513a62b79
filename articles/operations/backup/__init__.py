"""The whole studio in one file, taken while it runs, and put back.

An archive holds the database, pictures and uploads, the settings without their secrets, and a manifest that says what it is.
"""

from articles.operations.backup.create import make_backup
from articles.operations.backup.restore import restore_backup

__all__ = ["make_backup", "restore_backup"]
