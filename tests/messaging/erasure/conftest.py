"""A storage of files that belongs to the test."""

from pathlib import Path
from typing import Any

import pytest

from tests.messaging.erasure.personal_rows import plant
from waproject.sqs import sampling


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


@pytest.fixture(autouse=True)
def no_long_poll(monkeypatch: pytest.MonkeyPatch) -> None:
    """Dead-letter queues that are empty answer at once."""
    monkeypatch.setattr(sampling, "LONG_POLL_S", 0)
