"""Settings that limit what clients may send, and what each user may use. Part of ``contentstudio.settings``."""

from __future__ import annotations

from environs import validate

from contentstudio.environment import env

# Requests; see contentstudio/runtime/request_limits.py.
MAX_SOURCES = 20  # of an article
MAX_PASTED_CHARACTERS = 200_000  # of one pasted text: about 30,000 words
MAX_PASTED_CHARACTERS_TOTAL = 500_000  # of all pasted texts of a brief, which arrive in one body
# Bytes of a body, not counting documents: up to 6 for a character (JSON writes \u00e9), and room for the other fields.
DATA_UPLOAD_MAX_MEMORY_SIZE = 6 * MAX_PASTED_CHARACTERS_TOTAL + 256 * 1024
UPLOAD_MAX_BYTES = 15 * 1024 * 1024  # of one document
UPLOAD_VIEWS = {"article_new", "write_again"}  # names of the views whose forms take documents

# Quotas of each user; 0: no limit. Quotas set for a user in the admin take precedence. See articles/quotas.
at_least_0 = validate.Range(min=0)
REQUESTS_PER_MINUTE = env.int("REQUESTS_PER_MINUTE", 600, validate=at_least_0)  # to the API, and submitted forms
MAX_ACTIVE_ARTICLES = env.int("MAX_ACTIVE_ARTICLES", 200, validate=at_least_0)  # waiting or being written
UPLOADS_PER_DAY = env.int("UPLOADS_PER_DAY", 500, validate=at_least_0)  # documents
UPLOAD_MB_PER_DAY = env.int("UPLOAD_MB_PER_DAY", 2_000, validate=at_least_0)
STORAGE_MB_PER_USER = env.int("STORAGE_MB_PER_USER", 5_000, validate=at_least_0)  # documents, texts and their revisions
EXPORTS_PER_MINUTE = env.int("EXPORTS_PER_MINUTE", 60, validate=at_least_0)
MAX_SOCKETS_PER_USER = env.int("MAX_SOCKETS_PER_USER", 250, validate=at_least_0)  # open WebSockets
MAX_API_KEYS_PER_USER = env.int(
    "MAX_API_KEYS_PER_USER", 50, validate=at_least_0
)  # that are neither revoked nor expired
