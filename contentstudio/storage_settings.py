"""Where images and uploaded documents are kept: in folders under VAR, or in an S3 bucket. Part of ``contentstudio.settings``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from environs import validate

from contentstudio.environment import env, secret

S3_BUCKET = env.str("S3_BUCKET", "")  # empty: folders under VAR, which several machines have to share
S3_ENDPOINT_URL = secret("S3_ENDPOINT_URL")  # of a server other than Amazon's
S3_REGION = env.str("S3_REGION", "us-east-1")
S3_PREFIX = env.str("S3_PREFIX", "")  # of all names, for a bucket that others use too
# "auto": the bucket is in the path with S3_ENDPOINT_URL, and in the host name without.
S3_ADDRESSING_STYLE = env.str("S3_ADDRESSING_STYLE", "auto", validate=validate.OneOf(["auto", "path", "virtual"]))
# Without keys, boto3 looks for credentials itself, such as the role of the machine.
S3_ACCESS_KEY_ID = secret("S3_ACCESS_KEY_ID")
S3_SECRET_ACCESS_KEY = secret("S3_SECRET_ACCESS_KEY")

STORAGE_SECRETS = [S3_ACCESS_KEY_ID, S3_SECRET_ACCESS_KEY]  # never logged


def file_storages(var: Path) -> dict[str, dict[str, Any]]:
    """Django's STORAGES entries of images (``default``) and of uploaded documents, which are never served."""
    if not S3_BUCKET:
        local = "django.core.files.storage.FileSystemStorage"
        return {"default": {"BACKEND": local}, "uploads": {"BACKEND": local, "OPTIONS": {"location": var / "uploads"}}}
    prefix = f"{S3_PREFIX.strip('/')}/" if S3_PREFIX.strip("/") else ""
    return {name: s3_storage(f"{prefix}{folder}") for name, folder in (("default", "media"), ("uploads", "uploads"))}


def s3_storage(location: str) -> dict[str, Any]:
    keys = {"access_key": S3_ACCESS_KEY_ID or None, "secret_key": S3_SECRET_ACCESS_KEY or None}
    options = {
        "bucket_name": S3_BUCKET,
        "location": location,
        "endpoint_url": S3_ENDPOINT_URL or None,
        "region_name": S3_REGION,
        "addressing_style": S3_ADDRESSING_STYLE,
        **keys,
    }
    # Named, not imported: boto3 takes half a second and 40 MB.
    return {"BACKEND": "contentstudio.s3_storage.PrivateS3Storage", "OPTIONS": options}
