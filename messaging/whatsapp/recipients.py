"""The two names a WhatsApp user goes by: a phone number, or an id that only this business portfolio knows.

Since 2026 users may hide their number behind a username; webhooks then carry a business-scoped user id (BSUID) such
as ``US.13491208655302741918``, a parent's as ``US.ENT.<...>``.
https://developers.facebook.com/documentation/business-messaging/whatsapp/business-scoped-user-ids
"""

import re

_BSUID = re.compile(r"[A-Z]{2}\.(ENT\.)?[0-9A-Za-z]{1,128}")
# E.164 has 15 digits at most.
_PHONE = re.compile(r"[0-9]{1,15}")


def is_bsuid(text: str) -> bool:
    """Whether this is a business-scoped user id."""
    return _BSUID.fullmatch(text) is not None


def is_phone(text: str) -> bool:
    """Whether this is a number in E.164 form without its plus sign: digits alone."""
    return _PHONE.fullmatch(text) is not None
