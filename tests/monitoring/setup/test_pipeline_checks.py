"""The doctor's checks of our own parts: each failure by its name, and none keeps the others from being made."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from messaging.meta_setup import State
from monitoring.setup import pipeline_checks, pipeline_findings

pytestmark = pytest.mark.django_db


def failed() -> list[str]:
    """The checks that failed."""
    return [finding.check for finding in pipeline_findings() if finding.state is State.FAILED]


@pytest.fixture(autouse=True)
def sound(sqs: Any, settings: Any, tmp_path: Path) -> None:
    """Queues, a storage, no expected process."""
    settings.EXPECTED_PROCESSES = []
    media = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(tmp_path)}}
    settings.STORAGES = {**settings.STORAGES, "media": media}


def test_a_sound_installation_has_no_failure() -> None:
    assert failed() == []


def test_sqs_away(sqs_away: None) -> None:
    assert failed() == ["queues"]


def test_a_storage_that_cannot_be_written(settings: Any) -> None:
    media = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": "/proc/nowhere"}}
    settings.STORAGES = {**settings.STORAGES, "media": media}
    assert failed() == ["storage"]


def test_a_missing_process(settings: Any) -> None:
    settings.EXPECTED_PROCESSES = ["dispatcher"]
    assert failed() == ["processes"]


def test_an_older_schema(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline_checks, "schema_problem", lambda: "The database's schema is older than this version.")
    assert failed() == ["schema"]


@pytest.mark.parametrize("off_by", [timedelta(seconds=-5), timedelta(seconds=5)])
def test_a_wrong_clock(off_by: timedelta, monkeypatch: pytest.MonkeyPatch) -> None:
    class Clock:
        @staticmethod
        def now() -> datetime:
            return datetime.now(UTC) + off_by

    monkeypatch.setattr(pipeline_checks, "timezone", Clock)
    assert failed() == ["clock"]


def test_the_storage_is_left_as_it_was(tmp_path: Path) -> None:
    failed()
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_the_command_fails_where_a_check_does(settings: Any, capsys: pytest.CaptureFixture[str]) -> None:
    settings.EXPECTED_PROCESSES = ["dispatcher"]
    with pytest.raises(CommandError, match="of the checks failed"):
        call_command("doctor", "--json")
    assert '"check": "processes", "state": "failed"' in capsys.readouterr().out
