import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging.whatsapp.outbound import MESSAGE_TYPES, InvalidContent, build, display_text, validate
from tests.messaging.whatsapp import samples
from tests.messaging.whatsapp.strategies import JSON

TEMPLATE = {"name": "order_ready", "language": "en_US"}
FLOW_DATA = "message_data.components[0].parameters[0].action.flow_action_data.a"


def flow_data(value: object) -> dict[str, Any]:
    """A template whose flow begins with this value."""
    parameters = [{"type": "action", "action": {"flow_action_data": {"a": value}}}]
    return TEMPLATE | {"components": [{"type": "button", "sub_type": "flow", "index": 0, "parameters": parameters}]}


def test_a_text_becomes_metas_body() -> None:
    body = build("text", {"content": "Hi", "preview_url": False}, to="16505551234", callback_data="our-id")
    assert body == {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": "16505551234",
        "type": "text",
        "text": {"body": "Hi", "preview_url": False},
        "biz_opaque_callback_data": "our-id",
    }


@pytest.mark.parametrize("language", ["en_US", {"code": "en_US"}])
def test_a_template_becomes_metas_body(language: Any) -> None:
    components = [{"type": "body", "parameters": [{"type": "text", "text": "4711"}]}]
    data = {"name": "order_ready", "language": language, "components": components}
    body = build("template", data, to="16505551234", callback_data="our-id")
    assert body["template"] == {"name": "order_ready", "language": {"code": "en_US"}, "components": components}


@pytest.mark.parametrize(
    ("to", "key"),
    [("16505551234", "to"), ("US.13491208655302741918", "recipient"), ("US.ENT.506847293015824", "recipient")],
)
def test_a_number_goes_under_to_and_a_user_id_under_recipient(to: str, key: str) -> None:
    body = build("text", {"content": "Hi"}, to=to, callback_data="x")
    assert body[key] == to
    assert len({"to", "recipient"} & body.keys()) == 1


@pytest.mark.parametrize("to", ["", "+16505551234", "1650 555", "us.1", "US.", "US.1\n", "1\n", "1" * 33, "١٢٣"])
def test_other_recipients_are_refused(to: str) -> None:
    with pytest.raises(InvalidContent) as caught:
        build("text", {"content": "Hi"}, to=to, callback_data="x")
    assert caught.value.field == "to"


def test_a_reply_names_the_message_it_answers() -> None:
    body = build("text", {"content": "Hi"}, to="1650", callback_data="x", context_wamid="wamid.A")
    assert body["context"] == {"message_id": "wamid.A"}


@pytest.mark.parametrize("callback_data", ["", "x" * 513])
def test_callback_data_have_a_limit(callback_data: str) -> None:
    with pytest.raises(InvalidContent, match="callback_data"):
        build("text", {"content": "Hi"}, to="1650", callback_data=callback_data)


def test_metas_name_for_the_content_is_taken_too() -> None:
    assert validate("text", {"body": "Hi"}) == {"content": "Hi"}


@pytest.mark.parametrize("content", ["x", "x" * 4096, "😀" * 4096])
def test_texts_up_to_the_limit_are_taken(content: Any) -> None:
    assert validate("text", {"content": content})["content"] == content


@pytest.mark.parametrize(
    ("message_type", "data", "field"),
    [
        ("carrier_pigeon", {}, "message_type"),
        (None, {}, "message_type"),
        ([], {}, "message_type"),
        ("text", None, "message_data"),
        ("text", "Hi", "message_data"),
        ("text", {}, "message_data.content"),
        ("text", {"content": None}, "message_data.content"),
        ("text", {"content": 5}, "message_data.content"),
        ("text", {"content": ""}, "message_data.content"),
        ("text", {"content": "x" * 4097}, "message_data.content"),
        ("text", {"content": "a\x00"}, "message_data.content"),
        ("text", {"content": "\ud83d"}, "message_data.content"),
        ("text", {"body": 5}, "message_data.body"),
        ("text", {"content": "Hi", "body": "Hi"}, "message_data.body"),
        ("text", {"content": "Hi", "preview_url": "yes"}, "message_data.preview_url"),
        ("text", {"content": "Hi", "colour": "red"}, "message_data.colour"),
        ("text", {"content": "Hi", 5: "red"}, "message_data"),
        ("template", {"language": "en"}, "message_data.name"),
        ("template", TEMPLATE | {"name": "Order Ready"}, "message_data.name"),
        ("template", TEMPLATE | {"name": "a\n"}, "message_data.name"),
        ("template", TEMPLATE | {"name": "a" * 513}, "message_data.name"),
        ("template", {"name": "a"}, "message_data.language"),
        ("template", TEMPLATE | {"language": 5}, "message_data.language"),
        ("template", TEMPLATE | {"language": {}}, "message_data.language.code"),
        ("template", TEMPLATE | {"language": {"code": "e n"}}, "message_data.language.code"),
        ("template", TEMPLATE | {"components": None}, "message_data.components"),
        ("template", TEMPLATE | {"components": {}}, "message_data.components"),
        ("template", TEMPLATE | {"components": [{"type": "body"}, "body"]}, "message_data.components[1]"),
        ("template", flow_data(["\x00"]), f"{FLOW_DATA}[0]"),
        ("template", flow_data(math.nan), FLOW_DATA),
        ("template", flow_data(b""), FLOW_DATA),
    ],
)
def test_what_cannot_be_sent_is_refused_by_its_path(message_type: Any, data: Any, field: str) -> None:
    with pytest.raises(InvalidContent) as caught:
        validate(message_type, data)
    assert caught.value.field == field
    assert field in str(caught.value)


def test_deep_nesting_is_refused() -> None:
    deep: object = {}
    for _ in range(2000):
        deep = {"a": deep}
    with pytest.raises(InvalidContent, match="nested too deeply"):
        validate("template", flow_data(deep))


NAMES = [
    *("content", "body", "preview_url", "name", "language", "components", "id", "link", "caption", "filename", "voice"),
    *("latitude", "longitude", "contacts", "message_id", "emoji", "type", "action", "header", "footer"),
]
KEYS = st.sampled_from(NAMES) | st.text(max_size=3)
VALUES = JSON | st.sampled_from(["button", "list", "https://example.com/", "👍"]) | st.dictionaries(KEYS, JSON)


@given(st.sampled_from(MESSAGE_TYPES), st.dictionaries(KEYS, VALUES) | JSON)
def test_data_are_normalised_once_and_for_all_or_refused(message_type: Any, data: Any) -> None:
    try:
        normalised = validate(message_type, data)
    except InvalidContent:
        return
    assert validate(message_type, normalised) == normalised
    assert isinstance(display_text(message_type, normalised), str)


@pytest.mark.skipif(not samples.NAMES, reason="META_SAMPLES is not set")
@pytest.mark.parametrize(
    "name", ["send-text-message", "send-message-template-text", "send-text-message-with-preview-url"]
)
def test_metas_own_samples_come_out_as_they_are(name: str) -> None:
    sample = samples.load("sends", name)
    message_type = sample.setdefault("type", "text")
    data = sample[message_type]
    if message_type == "template":
        data |= {"name": data["name"].replace("-", "_"), "language": {"code": "en_US"}}
    body = build(message_type, data, to="16505551234", callback_data="x")
    del body["biz_opaque_callback_data"]
    assert body == sample | {"to": "16505551234", "recipient_type": "individual"}
