import pytest

from messaging.whatsapp.inbound.signature import is_signed, sign

BODY = b'{"text":"caf\\u00e9 \\/ @"}'


def test_the_signature_is_the_known_hmac_of_the_bytes() -> None:
    # RFC 4231, test case 2.
    expected = "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    assert sign(b"what do ya want for nothing?", "Jefe") == expected


@pytest.mark.parametrize("secrets", [["new"], ["new", "old"], ["old", "new"], ["", "new"]])
def test_any_current_secret_will_do(secrets: list[str]) -> None:
    assert is_signed(BODY, sign(BODY, "new"), secrets)


@pytest.mark.parametrize("header", ["", "sha256=", "sha256=00", "sha1=abc", "é", "\ud800", sign(BODY, "other")])
def test_other_headers_are_refused(header: str) -> None:
    assert not is_signed(BODY, header, ["new"])


def test_a_changed_byte_is_refused() -> None:
    assert not is_signed(BODY + b" ", sign(BODY, "new"), ["new"])


def test_the_case_of_the_digits_matters() -> None:
    assert not is_signed(BODY, sign(BODY, "new").upper(), ["new"])


@pytest.mark.parametrize("secrets", [[], [""]])
def test_without_a_secret_nothing_is_signed(secrets: list[str]) -> None:
    assert not is_signed(BODY, sign(BODY, ""), secrets)
