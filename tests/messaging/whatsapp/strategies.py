"""Strategies of hypothesis: JSON values, and webhook bodies with odd parts in a valid envelope."""

from typing import Any

from hypothesis import strategies as st

Strategy = st.SearchStrategy[Any]

TEXT: Strategy = st.text(max_size=6) | st.sampled_from(["\x00", "\ud800", "a\x00b", ""])
SCALARS: Strategy = st.none() | st.booleans() | st.integers(-(10**18), 10**18) | st.floats() | TEXT
JSON: Strategy = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
IDS = st.sampled_from(["wamid.A", "wamid.B", "wamid.\x00", "", "w" * 513]) | JSON
PHONES = st.sampled_from(["16505551234", "16505551235", "US.13491208655302741918", "+4915123456789"]) | JSON
USER_IDS = st.sampled_from(["US.1", "US.ENT.2", "DE.abc"]) | JSON
TIMES = st.sampled_from(["1749416383", 1749416383000, "0", "99999999999999999999"]) | JSON


def shaped(**parts: Any) -> Strategy:
    """Objects with some of these keys."""
    return st.fixed_dictionaries({}, optional=parts)


CONTACTS = shaped(profile=shaped(name=TEXT) | JSON, wa_id=PHONES, user_id=USER_IDS)
MESSAGES = shaped(
    **{"id": IDS, "from": PHONES, "from_user_id": USER_IDS, "timestamp": TIMES},
    type=st.sampled_from(["text", "image", "contacts", "later"]) | JSON,
    text=shaped(body=TEXT) | JSON,
    image=shaped(caption=TEXT) | JSON,
    context=shaped(id=IDS) | JSON,
)
STATUSES = shaped(
    id=IDS,
    status=st.sampled_from(["sent", "read", "failed", "RINGING"]) | JSON,
    timestamp=TIMES,
    recipient_id=PHONES,
    recipient_user_id=USER_IDS,
    biz_opaque_callback_data=TEXT,
    errors=st.lists(shaped(code=st.integers(), title=TEXT, error_data=JSON) | JSON, max_size=2) | JSON,
)


def lists(elements: Any) -> Strategy:
    """Lists of these, with something else among them now and then, or no list at all."""
    return st.lists(elements | elements | JSON, max_size=5)


VALUES = st.fixed_dictionaries(
    {"messaging_product": st.just("whatsapp")},
    optional={
        "metadata": shaped(phone_number_id=st.sampled_from(["1", "2"]) | JSON, display_phone_number=TEXT) | JSON,
        "contacts": lists(CONTACTS) | JSON,
        "messages": lists(MESSAGES) | JSON,
        "statuses": lists(STATUSES) | JSON,
        "errors": lists(JSON),
        "user_actions": JSON,
        "later": JSON,
    },
)
CHANGES = st.fixed_dictionaries(
    {"field": st.just("messages"), "value": VALUES}, optional={"extra": JSON}
) | st.fixed_dictionaries({"field": st.sampled_from(["messages", "account_update"]) | JSON, "value": VALUES | JSON})
ENTRIES = st.fixed_dictionaries(
    {"id": st.sampled_from(["11", "22"]), "changes": st.lists(CHANGES | JSON, max_size=3)},
    optional={"time": TIMES, "extra": JSON},
)
BODIES = st.fixed_dictionaries(
    {"object": st.just("whatsapp_business_account"), "entry": st.lists(ENTRIES | ENTRIES | JSON, max_size=3)},
    optional={"extra": JSON},
)
