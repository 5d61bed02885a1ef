"""Numbers as short texts."""

import pytest

from waproject.web.number_formats import UNKNOWN, count, duration, percent


@pytest.mark.parametrize(("value", "text"), [(None, UNKNOWN), (0, "0"), (12345, "12,345"), (1234567.8, "1,234,568")])
def test_a_count_has_its_thousands_separated(value: float | None, text: str) -> None:
    assert count(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, UNKNOWN),
        (0, "0 s"),
        (0.0004, "0 ms"),
        (0.12, "120 ms"),
        (0.9994, "999 ms"),
        (1, "1.0 s"),
        (3.44, "3.4 s"),
        (9.94, "9.9 s"),
        (10, "10 s"),
        (119, "119 s"),
        (120, "2 min"),
        (240, "4 min"),
        (7199, "120 min"),
        (7200, "2 h"),
        (172_799, "48 h"),
        (172_800, "2 d"),
        (864_000, "10 d"),
        (86_400_000, "1000 d"),
    ],
)
def test_a_duration_has_the_unit_of_its_size(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (None, UNKNOWN),
        (0, "0 %"),
        (1, "100 %"),
        (0.975, "97.5 %"),
        (0.00001, "0.1 %"),
        (0.0012, "0.1 %"),
        (0.0016, "0.2 %"),
        (0.9999, "99.9 %"),
        (0.998, "99.8 %"),
    ],
)
def test_a_share_is_all_or_nothing_only_if_it_is_exactly(share: float | None, text: str) -> None:
    assert percent(share) == text
