"""The price in a status, by the rules since October 2026."""

from __future__ import annotations

from typing import Any

import pytest

from messaging.sandbox.pricing import Sender, Tariff
from messaging.sandbox.settings import Behaviour
from messaging.sandbox.users.user import user_with_phone

from .process import NUMBER, OTHER_NUMBER, Sandbox
from .receiver import Hook, Receiver
from .templates.test_templates import COUPON, IMAGE, OTP, body

JSON = dict[str, Any]
US_NUMBER, GERMAN, INDIAN = "15550783881", "4915112345678", "919876543210"


def template(name: str, *components: JSON) -> JSON:
    return {"type": "template", "template": {
        "name": name, "language": {"code": "en_US"}, "components": list(components)}}  # fmt: skip


def price(receiver: Receiver, status: str = "sent") -> JSON:
    (hook,) = receiver.wait_for(1, lambda hook: hook.status.get("status") == status)
    found: JSON = hook.status["pricing"]
    return found


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ({}, (False, "free_customer_service", "service")),
        (template("hello_world"), (True, "regular", "utility")),
        (template("offer", IMAGE, body("Ann"), COUPON), (True, "regular", "marketing")),
        (template("one_time_code", body("123456"), OTP), (True, "regular", "authentication")),
        (template("one_time_code", body("1"), body("1") | {"type": "button", "sub_type": "url", "index": 0})
         | {"to": INDIAN}, (True, "regular", "authentication-international")),
        (template("hello_world") | {"to": INDIAN}, (True, "regular", "utility")),
        (template("one_time_code", body("123456"), OTP) | {"to": GERMAN}, (True, "regular", "authentication")),
    ],
    ids=str,
)  # fmt: skip
def test_a_message_is_priced(
    sandbox: Sandbox, receiver: Receiver, message: JSON, expected: tuple[bool, str, str]
) -> None:
    sandbox.send(**message)
    billable, kind, category = expected
    assert price(receiver) == {
        "billable": billable, "pricing_model": "PMP", "type": kind, "category": category,
    }  # fmt: skip


def test_a_utility_template_costs_inside_the_window_too(sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.post("/_sandbox/inbound", {"from": "15551230001", "text": "Hi"})
    sandbox.send(**template("hello_world"))
    assert price(receiver)["type"] == "regular"


def test_the_marketing_api_has_a_category_of_its_own(sandbox: Sandbox, receiver: Receiver) -> None:
    message = {"messaging_product": "whatsapp", "to": "15551230001", **template("spring_sale")}
    sandbox.post(f"/v25.0/{NUMBER}/marketing_messages", message)
    assert (price(receiver)["type"], price(receiver)["category"]) == ("regular", "marketing_lite")


def test_service_messages_cost_once_the_free_ones_of_the_month_are_used_up(
    sandbox: Sandbox, receiver: Receiver
) -> None:
    sandbox.post("/_sandbox/settings", {"free_service_messages": 2})
    wamids = [sandbox.send() for _ in range(3)]
    hooks = receiver.wait_for(3, lambda hook: hook.status.get("status") == "sent" and hook.status["id"] in wamids)
    by_wamid = {hook.status["id"]: hook.status["pricing"]["type"] for hook in hooks}
    assert [by_wamid[wamid] for wamid in wamids] == ["free_customer_service", "free_customer_service", "regular"]


@pytest.mark.parametrize("message", [{}, template("spring_sale")], ids=str)
def test_everything_is_free_to_a_user_who_came_by_an_ad(sandbox: Sandbox, receiver: Receiver, message: JSON) -> None:
    referral = {"source_type": "ad", "source_id": "1", "source_url": "https://example.com"}
    sandbox.post("/_sandbox/inbound", {"from": "15551230001", "text": "Hi", "referral": referral})
    sandbox.send(**message)

    def of(status: str) -> Hook:
        return receiver.wait_for(1, lambda hook: hook.status.get("status") == status)[0]

    sent, delivered = of("sent").status, of("delivered").status
    assert sent["pricing"] == {
        "billable": False, "pricing_model": "PMP", "type": "free_entry_point", "category": "referral_conversion",
    }  # fmt: skip
    assert sent["conversation"]["origin"] == {"type": "referral_conversion"}
    assert (sent["conversation"]["expiration_timestamp"].isdigit(), sorted(delivered["conversation"])) == (
        True,
        ["id", "origin"],
    )


@pytest.mark.parametrize(("hours", "kind"), [(71.9, "free_entry_point"), (72.1, "regular")])
def test_a_free_entry_point_is_open_for_72_hours(hours: float, kind: str) -> None:
    tariff, ann = Tariff(), user_with_phone("15551230001")
    tariff.user_came_by_ad(NUMBER, ann, 1_000_000.0)
    now = 1_000_000.0 + hours * 3600
    assert tariff.price_of("marketing", Sender(NUMBER, US_NUMBER), ann, Behaviour(), now).type == kind


@pytest.mark.parametrize(
    ("number", "day", "kind"),
    [(NUMBER, 20, "regular"), (NUMBER, 40, "free_customer_service"), (OTHER_NUMBER, 20, "free_customer_service")],
)
def test_each_number_has_its_free_service_messages_each_month(number: str, day: int, kind: str) -> None:
    tariff, ann, behaviour = Tariff(), user_with_phone("15551230001"), Behaviour(free_service_messages=1)
    tariff.price_of(None, Sender(NUMBER, US_NUMBER), ann, behaviour, 0.0)
    assert tariff.price_of(None, Sender(number, US_NUMBER), ann, behaviour, day * 24 * 3600.0).type == kind


@pytest.mark.parametrize(
    ("business", "to", "category"),
    [
        (US_NUMBER, INDIAN, "authentication-international"),
        ("919000000000", INDIAN, "authentication"),
        (US_NUMBER, "971501234567", "authentication-international"),
        (US_NUMBER, "966501234567", "authentication-international"),
        (US_NUMBER, "2348012345678", "authentication-international"),
        (US_NUMBER, "6281234567890", "authentication-international"),
        (US_NUMBER, "201001234567", "authentication-international"),
        (US_NUMBER, "27821234567", "authentication-international"),
        (US_NUMBER, "60123456789", "authentication-international"),
        (US_NUMBER, "923001234567", "authentication-international"),
        (US_NUMBER, GERMAN, "authentication"),
        (US_NUMBER, "5215512340918", "authentication"),
    ],
)
def test_codes_from_abroad_have_a_price_of_their_own_in_some_countries(business: str, to: str, category: str) -> None:
    price = Tariff().price_of("authentication", Sender(NUMBER, business), user_with_phone(to), Behaviour(), 0.0)
    assert price.category == category


def test_a_read_message_without_delivered_has_its_price_on_read(sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.post("/_sandbox/settings", {"skip_delivered": 1})
    sandbox.send()
    assert price(receiver, "read")["category"] == "service"
