"""File storage settings, read from text."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured

KINDS = ("image", "video", "audio", "voice", "document", "sticker")
# Files from a bucket up to this size stay in memory; larger ones go to the system's directory for temporary files.
S3_IN_MEMORY = 1024 * 1024


def media_limits(name: str, texts: Iterable[str]) -> dict[str, int]:
    """Bytes by kind, from `kind=bytes` entries; raises ImproperlyConfigured with the variable's name."""
    limits = {}
    for text in texts:
        kind, _, number = text.strip().partition("=")
        if kind not in KINDS or not number.isdecimal() or not int(number):
            raise ImproperlyConfigured(
                f"{name} has {text!r}; an entry is a kind and bytes, document=20000000. The kinds: {', '.join(KINDS)}."
            )
        limits[kind] = int(number)
    return limits


def media_storage(directory: Path, bucket: str, prefix: str, endpoint_url: str, region: str) -> dict[str, Any]:
    """Django's STORAGES entry: the bucket, or else the directory."""
    if not bucket:
        options: dict[str, Any] = {
            "location": str(directory),
            "allow_overwrite": True,
            "file_permissions_mode": 0o640,
            "directory_permissions_mode": 0o750,
        }
        return {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": options}
    options = {
        "bucket_name": bucket,
        "location": prefix,
        "region_name": region,
        "endpoint_url": endpoint_url or None,
        "file_overwrite": True,
        "default_acl": None,
        "max_memory_size": S3_IN_MEMORY,
        # Clients never download from the bucket directly.
        "querystring_auth": True,
    }
    return {"BACKEND": "waproject.environment.media_bucket.MediaBucket", "OPTIONS": options}
