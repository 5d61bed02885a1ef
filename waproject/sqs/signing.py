"""AWS Signature Version 4 for POSTs of JSON to SQS, without a query.

botocore's signer parses any request and derives the signing key each time. This one keeps the key for its day and
writes constant parts once; docs/internals.md has what that saves. The tests compare every header with botocore's.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

import hmac
import time
from hashlib import sha256
from typing import Any
from urllib.parse import quote, urlsplit

CONTENT_TYPE = "application/x-amz-json-1.0"
ALGORITHM = "AWS4-HMAC-SHA256"
SERVICE = "sqs"


class Signer:
    """Signs for one origin and region; thread-safe. `host`: the value of the Host header."""

    def __init__(self, url: str, host: str, region: str) -> None:
        self._path = quote(urlsplit(url).path or "/", safe="/~")
        self._host, self._region = host, region
        # Replaced as a whole: no thread sees one day's key with another day's scope.
        self._day: tuple[tuple[str, str], str, bytes] = (("", ""), "", b"")

    def headers(self, credentials: Any, action: str, body: bytes, at: float | None = None) -> dict[str, str]:
        """All headers except Host and Content-Length.

        credentials: botocore's ReadOnlyCredentials. action: e.g. SendMessage. at: Unix seconds, default now.
        """
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(at))
        scope, key = self._scope_and_key(credentials.secret_key, stamp[:8])
        target, token = f"AmazonSQS.{action}", credentials.token
        named, signed = "content-type;host;x-amz-date", f"host:{self._host}\nx-amz-date:{stamp}\n"
        if token:
            named, signed = f"{named};x-amz-security-token", f"{signed}x-amz-security-token:{token}\n"
        named, signed = f"{named};x-amz-target", f"content-type:{CONTENT_TYPE}\n{signed}x-amz-target:{target}\n"
        canonical = f"POST\n{self._path}\n\n{signed}\n{named}\n{sha256(body).hexdigest()}"
        to_sign = f"{ALGORITHM}\n{stamp}\n{scope}\n{sha256(canonical.encode()).hexdigest()}"
        signature = hmac.digest(key, to_sign.encode(), "sha256").hex()
        headers = {
            "Content-Type": CONTENT_TYPE,
            "X-Amz-Target": target,
            "X-Amz-Date": stamp,
            "Authorization": f"{ALGORITHM} Credential={credentials.access_key}/{scope}, "
            f"SignedHeaders={named}, Signature={signature}",
        }
        if token:
            headers["X-Amz-Security-Token"] = token
        return headers

    def _scope_and_key(self, secret: str, date: str) -> tuple[str, bytes]:
        day = self._day
        if day[0] != (secret, date):
            key = f"AWS4{secret}".encode()
            for part in (date, self._region, SERVICE, "aws4_request"):
                key = hmac.digest(key, part.encode(), "sha256")
            day = self._day = ((secret, date), f"{date}/{self._region}/{SERVICE}/aws4_request", key)
        return day[1], day[2]
