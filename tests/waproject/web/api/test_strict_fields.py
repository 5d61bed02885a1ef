"""Times in a zone with summer time."""

from typing import Any

import pytest
from rest_framework.exceptions import ValidationError

from waproject.web.api.strict_fields import StrictDateTimeField


@pytest.mark.parametrize(
    ("given", "is_taken"),
    [
        ("2027-03-28T02:30:00", False),  # clocks go forward from 02:00 to 03:00
        ("2027-10-31T02:30:00", False),  # and back from 03:00 to 02:00
        ("2027-03-28T01:59:59", True),
        ("2027-03-28T03:00:00", True),
        ("2027-10-31T03:00:00", True),
        ("2027-03-28T02:30:00+01:00", True),
        ("2027-10-31T02:30:00+02:00", True),
        ("2027-10-31T02:30:00Z", True),
    ],
)
def test_a_local_time_that_does_not_exist_or_exists_twice_is_refused(given: str, is_taken: bool, settings: Any) -> None:
    settings.TIME_ZONE = "Europe/Berlin"
    if is_taken:
        assert StrictDateTimeField().run_validation(given)
    else:
        with pytest.raises(ValidationError, match="offset"):
            StrictDateTimeField().run_validation(given)
