import json
from typing import Any

from hypothesis import given

from messaging.whatsapp.storable import MAX_DEPTH, storable
from tests.messaging.whatsapp.strategies import JSON


@given(JSON)
def test_what_comes_out_is_strict_json_in_utf_8_without_nul(value: Any) -> None:
    written = json.dumps(storable(value), allow_nan=False, ensure_ascii=False)
    assert "\x00" not in written.encode().decode()
    assert "\\u0000" not in written


@given(JSON)
def test_a_second_time_changes_nothing(value: Any) -> None:
    assert storable(storable(value)) == storable(value)


def test_two_keys_that_become_the_same_both_stay() -> None:
    assert storable({"\x00": 1, "\ud800": 2}) == {"\ufffd": 1, "\ufffd\ufffd": 2}


def test_what_is_nested_too_deeply_becomes_text() -> None:
    deep: object = "core"
    for _ in range(MAX_DEPTH + 3):
        deep = [deep]
    written = json.dumps(storable(deep))
    assert "core" in written
    assert written.startswith("[" * MAX_DEPTH + '"')
    for _ in range(100_000):
        deep = [deep]
    assert "nested too deeply" in json.dumps(storable(deep))
