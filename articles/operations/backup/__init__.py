"""Backup of the whole studio to one file while it runs, and restore.

An archive holds the database, images, uploads, the settings without secrets, and a manifest.
"""

from articles.operations.backup.create import make_backup
from articles.operations.backup.restore import restore_backup

__all__ = ["make_backup", "restore_backup"]
