"""The support bundle: a file with what others need to understand a problem, without secrets, texts or personal data."""

from articles.operations.support.bundle import write_bundle

__all__ = ["write_bundle"]
