"""A storage of files that belongs to the test."""

from pathlib import Path
from typing import Any

import pytest

from tests.messaging.erasure.planted import plant


@pytest.fixture
def files(settings: Any, tmp_path: Path) -> Path:
    """The directory of the storage."""
    media = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(tmp_path)}}
    settings.STORAGES = {**settings.STORAGES, "media": media}
    return tmp_path


@pytest.fixture
def planted(db: None, files: Path, sqs: Any) -> None:
    """A person, everywhere."""
    plant()
