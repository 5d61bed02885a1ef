"""Every request to SQS is signed as botocore would sign it."""

import datetime
from typing import Any

import pytest
from botocore import auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import ReadOnlyCredentials
from hypothesis import given
from hypothesis import strategies as st

from waproject.sqs.connections import Origin
from waproject.sqs.signing import CONTENT_TYPE, Signer

URLS = (
    "https://sqs.eu-central-1.amazonaws.com/",
    "http://127.0.0.1:9324/",
    "https://[::1]:8443/some path/",
    "https://vpce-1.sqs.example:443/",
)
WORDS = st.text(st.characters(codec="ascii", exclude_categories=["C", "Z"]), min_size=1, max_size=40)
CREDENTIALS = st.builds(ReadOnlyCredentials, WORDS, WORDS, st.none() | WORDS)
MOMENTS = st.datetimes(datetime.datetime(2020, 1, 1), datetime.datetime(2040, 1, 1))


def by_botocore(url: str, region: str, credentials: Any, body: bytes, at: datetime.datetime) -> dict[str, str]:
    headers = {"Content-Type": CONTENT_TYPE, "X-Amz-Target": "AmazonSQS.SendMessage"}
    request = AWSRequest("POST", url, headers=headers, data=body)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(auth, "get_current_datetime", lambda: at)
        auth.SigV4Auth(credentials, "sqs", region).add_auth(request)
    return dict(request.headers.items())


@given(st.sampled_from(URLS), WORDS, CREDENTIALS, st.binary(max_size=200), MOMENTS)
def test_the_headers_are_those_of_botocore(
    url: str, region: str, credentials: ReadOnlyCredentials, body: bytes, at: datetime.datetime
) -> None:
    seconds = at.replace(tzinfo=datetime.UTC).timestamp()
    ours = Signer(url, Origin.of(url).host_header, region).headers(credentials, "SendMessage", body, seconds)
    assert ours == by_botocore(url, region, credentials, body, at)


def test_a_different_secret_or_day_gives_a_different_key() -> None:
    signer = Signer(URLS[0], "sqs", "eu-central-1")
    first, second = ReadOnlyCredentials("a", "one", None), ReadOnlyCredentials("a", "two", None)
    signatures = [
        signer.headers(credentials, "SendMessage", b"", at)["Authorization"].rpartition("=")[2]
        for credentials, at in ((first, 0.0), (second, 0.0), (first, 86400.0), (first, 0.0))
    ]
    assert len(set(signatures)) == 3
    assert signatures[0] == signatures[3]
