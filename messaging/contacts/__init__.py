"""Contacts: their identities (phone numbers, user ids, names) and their consent."""

from messaging.contacts.consent import (
    MARKETING_OPT_OUT_CODE,
    ConsentChange,
    record_billed_templates,
    record_consent,
    record_template_category,
)
from messaging.contacts.consent_checks import (
    IS_MARKETING,
    IS_SUPPRESSED,
    SUPPRESSED_CONTACTS,
    MessageTarget,
    SuppressionRow,
    refusals,
    suppressions_by_key,
    suppressions_of,
)
from messaging.contacts.contact_updates import (
    update_contacts,
)
from messaging.contacts.phone_numbers import (
    MAX_DIGITS,
    MIN_DIGITS,
    UNASSIGNED_NUMBER,
    InvalidPhoneNumber,
    digits_of,
)
from messaging.contacts.recipients import (
    known_recipient,
    known_recipients,
    parse_recipient,
)
from messaging.contacts.whatsapp_ids import (
    equivalent_peers,
    record_whatsapp_ids,
)
from messaging.contacts.withdrawal import (
    refusal_of,
    withdraw_or_allow,
    withdraw_released,
)

__all__ = [
    "IS_MARKETING",
    "IS_SUPPRESSED",
    "MARKETING_OPT_OUT_CODE",
    "MAX_DIGITS",
    "MIN_DIGITS",
    "SUPPRESSED_CONTACTS",
    "UNASSIGNED_NUMBER",
    "ConsentChange",
    "InvalidPhoneNumber",
    "MessageTarget",
    "SuppressionRow",
    "digits_of",
    "equivalent_peers",
    "known_recipient",
    "known_recipients",
    "parse_recipient",
    "record_billed_templates",
    "record_consent",
    "record_template_category",
    "record_whatsapp_ids",
    "refusal_of",
    "refusals",
    "suppressions_by_key",
    "suppressions_of",
    "update_contacts",
    "withdraw_or_allow",
    "withdraw_released",
]
