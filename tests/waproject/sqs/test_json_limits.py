"""JSON texts are bounded before objects are built."""

import json
import multiprocessing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.waiting import PATIENCE_S
from waproject.sqs import json_limits
from waproject.sqs.json_limits import Limits, excess, loads

LIMITS = Limits(depth=5, elements=40, digits=12)

WITHIN = {
    "nothing": "",
    "the deepest list": "[" * 5 + "]" * 5,
    "the deepest mixture": '{"a":[{"a":[{}]}]}',
    "brackets side by side": "[[],[],[],[],[],[],[],[]]",
    "brackets inside a string": json.dumps("[{" * 50),
    "brackets behind an escaped quote": json.dumps('"' + "[{" * 50),
    "brackets behind an escaped backslash": json.dumps(["\\", "[[[[[[[["]),
    "commas inside a string": json.dumps("," * 100),
    "digits inside a string": json.dumps("1" * 100),
    "the longest number": "[" + "1" * 12 + "]",
    "forty elements": "[" + "1," * 39 + "1]",
    "forty elements, one with commas": json.dumps(["," * 50, *["a"] * 39], separators=(",", ":")),
    "a text that is no JSON": "hello",
}
OVER = {
    "a list too deep": ("[" * 6 + "]" * 6, "deeper than 5"),
    "objects too deep": ('{"a":' * 6 + "1" + "}" * 6, "deeper than 5"),
    "a mixture too deep": ('[{"a":' * 3 + "1" + "}]" * 3, "deeper than 5"),
    "deep behind shallow": ("[[]," + "[" * 5 + "]" * 6, "deeper than 5"),
    "deep behind a string that ends in a backslash": ('["\\\\",' + "[" * 5 + "]" * 6, "deeper than 5"),
    "brackets that never close": ("[" * 30, "deeper than 5"),
    "one digit too many": ("1" * 13, "more than 12 characters"),
    "a long fraction": ("0." + "1" * 11, "more than 12 characters"),
    "a long exponent": ("1e+" + "1" * 10, "more than 12 characters"),
    "too many values": ("[" + "1," * 40 + "1]", "more than 40"),
    "too many keys": (json.dumps({str(n): n for n in range(30)}), "more than 40"),
}


@pytest.mark.parametrize("text", WITHIN.values(), ids=WITHIN)
def test_a_text_within_the_limits_passes(text: str) -> None:
    assert excess(text.encode(), LIMITS) is None


@pytest.mark.parametrize(("text", "words"), OVER.values(), ids=OVER)
def test_a_text_over_a_limit_is_described_by_that_limit(text: str, words: str) -> None:
    assert words in str(excess(text.encode(), LIMITS))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le"])
def test_only_utf_8_is_parsed_since_other_encodings_evade_the_limits(encoding: str) -> None:
    # The second byte of the letter in UTF-16 is a quote in UTF-8: brackets behind it seem to be in a string.
    deep = json.dumps(["\u0122", "[" * 90 + "]" * 90], ensure_ascii=False).replace('"[', "[").replace(']"', "]")
    assert json.loads(deep.encode(encoding))
    with pytest.raises(ValueError):
        loads(deep.encode(encoding))


@pytest.mark.parametrize("raw", [b"\xef\xbb\xbf[1]", b'["\xed\xa0\x80"]', '["\u0122"]'.encode()])
def test_what_json_loads_takes_as_utf_8_is_parsed(raw: bytes) -> None:
    assert loads(raw) == json.loads(raw)


JSON = st.recursive(
    st.none() | st.integers() | st.floats(allow_nan=False) | st.text(alphabet='[]{}",:\\1ж\n', max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(alphabet='[]{}"\\', max_size=4), inner),
    max_leaves=20,
)


def depth(value: object) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max(map(depth, inner), default=0)


@settings(max_examples=300, deadline=None)
@given(value=JSON, ascii_only=st.booleans())
def test_the_depth_that_is_found_is_the_depth_of_the_parsed_value(value: object, ascii_only: bool) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only).encode()
    exact = Limits(depth(value), 10_000, 1000)
    assert excess(text, exact) is None
    assert depth(value) == 0 or excess(text, Limits(exact.depth - 1, 10_000, 1000)) is not None


def test_a_process_that_is_forked_during_a_check_can_check() -> None:
    with json_limits._one_copy:  # as a thread that receives from SQS holds it
        child = multiprocessing.get_context("fork").Process(target=excess, args=(b"[" * 6, LIMITS), daemon=True)
        child.start()
    child.join(PATIENCE_S)
    child.kill()
    assert child.exitcode == 0
