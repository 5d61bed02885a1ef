"""The phones behind the page: what arrives on them, what their users switch, and what the business hears of it."""

from __future__ import annotations

import asyncio
import http.client
import json
from collections.abc import Iterator
from typing import Any

import pytest

from messaging.sandbox.users.phones import MOST_KEPT, MOST_RECENT, Phones
from messaging.sandbox.users.user import User, user_with_phone
from tests.waiting import PATIENCE_S

from ..process import NUMBER, Sandbox, text_message
from ..receiver import Hook, Receiver

ANN = "15551230001"
CARLA = "US.13491208655302741918"
PATH = f"/v25.0/{NUMBER}/messages"


class Live:
    """What a page hears: the view, whenever it has changed."""

    def __init__(self, sandbox: Sandbox, address: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", sandbox.port, timeout=PATIENCE_S)
        self._connection.request("GET", f"/_sandbox/phone/live?of={address}")
        self._answer = self._connection.getresponse()

    def next(self) -> Any:
        """The next view."""
        while not (line := self._answer.readline()).startswith(b"data: "):
            assert line, "the stream has ended"
        return json.loads(line[6:])

    def until(self, wanted: Any) -> Any:
        """The first view that is as wanted."""
        while not wanted(view := self.next()):
            pass
        return view

    def close(self) -> None:
        self._answer.close()
        self._connection.close()


@pytest.fixture
def ann(sandbox: Sandbox) -> Iterator[Live]:
    sandbox.post("/_sandbox/phone/people", {"name": "Ann", "number": f"+{ANN}"})
    live = Live(sandbox, ANN)
    yield live
    live.close()


def switch(sandbox: Sandbox, **switches: bool) -> None:
    sandbox.post("/_sandbox/phone/switches", {"address": ANN, **switches})


def messages(view: Any) -> list[Any]:
    found: list[Any] = view["phone"]["messages"]
    return found


def states(receiver: Receiver, wamid: str) -> set[str]:
    return {hook.status["status"] for hook in receiver.hooks if hook.status.get("id") == wamid}


def is_status(state: str, wamid: str) -> Any:
    return lambda hook: (hook.status.get("id"), hook.status.get("status")) == (wamid, state)


def test_what_the_business_sends_is_on_the_phone_with_its_ticks(sandbox: Sandbox, ann: Live) -> None:
    wamid = sandbox.send()

    def sent(view: Any) -> list[Any]:
        return [one for one in messages(view) if (one["wamid"], one["ticks"]) == (wamid, "read")]

    (message,) = sent(ann.until(lambda view: bool(sent(view))))
    assert (message["mine"], message["node"]) == (False, {"body": "Hello"})


@pytest.mark.parametrize(("levels", "status"), [(490, 200), (600, 400), (960, 400), (5000, 400)])
def test_what_is_nested_deeply_is_shown_or_refused(sandbox: Sandbox, ann: Live, levels: int, status: int) -> None:
    # By hand: json.dumps has a limit of its own.
    order = '{"in":' * levels + "{}" + "}" * levels
    body = f'{{"from": "{ANN}", "type": "order", "order": {order}}}'
    assert sandbox.request("POST", "/_sandbox/inbound", body.encode())[0] == status
    sandbox.post("/_sandbox/inbound", {"from": ANN, "text": "Hi!"})
    shown = ann.until(lambda view: messages(view) and messages(view)[-1]["type"] == "text")
    assert len(messages(shown)) == (2 if status == 200 else 1)


def test_a_phone_that_is_off_gets_its_messages_when_it_is_on(sandbox: Sandbox, receiver: Receiver, ann: Live) -> None:
    switch(sandbox, on=False)
    wamid = sandbox.send()
    receiver.wait_for(1, is_status("sent", wamid))
    view = ann.until(lambda view: view["phone"]["waiting"] == 1)
    assert (messages(view), states(receiver, wamid)) == ([], {"sent"})
    switch(sandbox, on=True)
    # Each webhook has a request of its own: one may overtake another.
    for state in ("delivered", "read"):
        receiver.wait_for(1, is_status(state, wamid))


def test_what_meta_holds_for_its_assessment_waits_for_no_phone(sandbox: Sandbox, ann: Live) -> None:
    sandbox.post("/_sandbox/templates", {"name": "hello_world", "pacing": {"hold_ms": 120_000}})
    template = {"name": "hello_world", "language": {"code": "en_US"}}
    sandbox.request("POST", PATH, {**text_message(), "type": "template", "template": template})
    view = ann.until(lambda view: view["phone"]["held"] == 1)
    assert (messages(view), view["phone"]["waiting"]) == ([], 0)


def test_a_user_who_does_not_read_leaves_it_at_delivered(sandbox: Sandbox, receiver: Receiver, ann: Live) -> None:
    switch(sandbox, reads=False)
    wamid = sandbox.send()
    receiver.wait_for(1, is_status("delivered", wamid))
    view = ann.until(lambda view: view["people"][0]["unread"] == 1)
    assert messages(view)[0]["ticks"] == "delivered"
    switch(sandbox, reads=True)
    receiver.wait_for(1, is_status("read", wamid))


def test_what_a_blocked_business_sends_never_arrives(sandbox: Sandbox, receiver: Receiver, ann: Live) -> None:
    switch(sandbox, blocked=True)
    blocked = sandbox.send()
    receiver.wait_for(1, is_status("sent", blocked))
    ann.until(lambda view: view["phone"]["blocked"])
    later = sandbox.send()
    receiver.wait_for(1, is_status("sent", later))
    switch(sandbox, blocked=False)
    after = sandbox.send()
    receiver.wait_for(1, is_status("read", after))
    assert "delivered" not in states(receiver, blocked)


def test_the_business_gets_a_webhook_when_a_user_stops_marketing(
    sandbox: Sandbox, receiver: Receiver, ann: Live
) -> None:
    for wanted, value in ((False, "stop"), (True, "resume")):
        switch(sandbox, marketing=wanted)
        (hook,) = receiver.wait_for(1, lambda hook, value=value: preference(hook).get("value") == value)  # type: ignore[misc]
        assert preference(hook)["wa_id"] == ANN
        assert json.loads(hook.body)["entry"][0]["changes"][0]["field"] == "user_preferences"


def test_a_user_who_stopped_marketing_gets_no_marketing_template(
    sandbox: Sandbox, receiver: Receiver, ann: Live
) -> None:
    switch(sandbox, marketing=False)
    marketing, utility = (
        sandbox.send(type="template", template={"name": name, "language": {"code": "en_US"}})
        for name in ("spring_sale", "hello_world")
    )
    (failed,) = receiver.wait_for(1, is_status("failed", marketing))
    assert failed.status["errors"][0]["code"] == 131050
    receiver.wait_for(1, is_status("read", utility))
    switch(sandbox, marketing=True)
    after = sandbox.send(type="template", template={"name": "spring_sale", "language": {"code": "en_US"}})
    receiver.wait_for(1, is_status("read", after))


def preference(hook: Hook) -> Any:
    return hook.value.get("user_preferences", [{}])[0]


def test_who_shows_no_number_is_reached_by_user_id(sandbox: Sandbox, receiver: Receiver) -> None:
    address = sandbox.post("/_sandbox/phone/people", {"name": "Carla", "shows_number": False})["address"]
    live = Live(sandbox, address)
    body = {"messaging_product": "whatsapp", "type": "text", "text": {"body": "Hi"}, "recipient": address}
    sandbox.post(PATH, body)
    person = live.until(messages)["phone"]
    live.close()
    assert (address.startswith("US."), person["number"], person["name"]) == (True, None, "Carla")


def test_a_number_that_is_written_to_by_user_id_is_the_same_phone(sandbox: Sandbox, ann: Live) -> None:
    user_id = ann.next()["phone"]["user_id"]
    body = {"messaging_product": "whatsapp", "type": "text", "text": {"body": "Hi"}, "recipient": user_id}
    sandbox.post(PATH, body)
    view = ann.until(messages)
    assert [person["address"] for person in view["people"]] == [ANN]


def test_reading_and_typing_show_on_what_the_user_wrote(sandbox: Sandbox, ann: Live) -> None:
    wamids = [sandbox.post("/_sandbox/inbound", {"from": ANN, "text": text})["wamid"] for text in ("a", "b", "c")]
    receipt = {"messaging_product": "whatsapp", "status": "read", "message_id": wamids[1]}
    sandbox.post(PATH, receipt | {"typing_indicator": {"type": "text"}})
    view = ann.until(lambda view: view["phone"]["typing"] and len(messages(view)) == 3)
    assert [message["ticks"] for message in messages(view)] == ["read", "read", "delivered"]
    sandbox.send()
    assert ann.until(lambda view: len(messages(view)) == 4)["phone"]["typing"] is False


def test_reactions_of_both_sides_are_on_the_message(sandbox: Sandbox, ann: Live) -> None:
    wamid = sandbox.post("/_sandbox/inbound", {"from": ANN, "text": "a"})["wamid"]
    sandbox.send(type="reaction", reaction={"message_id": wamid, "emoji": "🎉"})
    view = ann.until(lambda view: messages(view) and messages(view)[0]["reactions"])
    assert [message["reactions"] for message in messages(view)] == [{"business": "🎉"}]


def test_of_a_reaction_meta_reports_that_it_was_sent_and_no_more(
    sandbox: Sandbox, receiver: Receiver, ann: Live
) -> None:
    wamid = sandbox.post("/_sandbox/inbound", {"from": ANN, "text": "a"})["wamid"]
    reaction = sandbox.send(type="reaction", reaction={"message_id": wamid, "emoji": "🎉"})
    after = sandbox.send()
    receiver.wait_for(1, is_status("read", after))
    view = ann.until(lambda view: len(messages(view)) == 2 and messages(view)[0]["reactions"])
    assert (states(receiver, reaction), view["phone"]["waiting"]) == ({"sent"}, 0)
    assert [status["status"] for status in sandbox.ledger()["messages"][0]["statuses"]] == ["sent"]


def test_a_webhook_that_was_refused_shows(sandbox: Sandbox, receiver: Receiver, ann: Live) -> None:
    receiver.answers = [500]
    sandbox.post("/_sandbox/inbound", {"from": ANN, "text": "a"})
    ann.until(lambda view: messages(view) and messages(view)[0]["refused"] == 500)


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("people", {}, "name"),
        ("people", {"name": "n" * 61}, "name"),
        ("people", {"name": "Bob", "number": "soon"}, "number"),
        ("switches", {"address": "15550000000"}, "address"),
        ("switches", {"address": ANN, "on": "yes"}, "on"),
    ],
)
def test_bad_input_is_named(sandbox: Sandbox, ann: Live, path: str, body: Any, field: str) -> None:
    status, answer = sandbox.request("POST", f"/_sandbox/phone/{path}", body)
    assert (status, answer["field"]) == (400, field)


def test_another_sites_page_changes_nothing(sandbox: Sandbox) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", sandbox.port, timeout=PATIENCE_S)
    body = json.dumps({"name": "Mallory"})
    connection.request("POST", "/_sandbox/phone/people", body, {"Sec-Fetch-Site": "cross-site"})
    assert connection.getresponse().status == 403
    connection.close()


def test_a_users_page_is_not_run_as_one(sandbox: Sandbox) -> None:
    media = {"data": "PGI+aGk8L2I+", "mime_type": "text/html", "filename": "a.html"}
    sandbox.post("/_sandbox/inbound", {"from": ANN, "type": "document", "media": media})
    live = Live(sandbox, ANN)
    (media_id,) = messages(live.until(messages))[0]["files"]
    live.close()
    connection = http.client.HTTPConnection("127.0.0.1", sandbox.port, timeout=PATIENCE_S)
    connection.request("GET", f"/_sandbox/phone/files/{media_id}")
    answer = connection.getresponse()
    assert (answer.read(), answer.headers["Content-Type"]) == (b"<b>hi</b>", "application/octet-stream")
    connection.close()


def test_a_campaign_leaves_kept_phones_alone_and_takes_no_room() -> None:
    async def campaign() -> Phones:
        phones = Phones()
        phones.keep(user_with_phone(ANN), "Ann").switch(on=False)
        for number in range(2 * MOST_KEPT):
            phones.sent_to(user_with_phone(f"1666{number:07d}"))
        return phones

    phones = asyncio.run(campaign())
    assert len(phones.all()) == MOST_RECENT + 1
    assert (ann := phones.find(ANN)) is not None
    assert not ann.on


def test_two_numbers_of_one_user_are_two_phones_which_both_go() -> None:
    async def crowd() -> list[str]:
        phones = Phones()
        for digits in ("15551230001", "15551230002"):
            phones.keep(user_with_phone(digits, CARLA))
        for number in range(MOST_KEPT - 1):
            phones.keep(user_with_phone(f"1666{number:07d}"))
        found = phones.find(CARLA)
        phones.keep(user_with_phone("16670000000"))
        return [found.user.address if found else "", str(phones.find(CARLA))]

    assert asyncio.run(crowd()) == ["15551230002", "None"]


def test_the_oldest_kept_phone_goes_and_lets_go_of_what_waits_for_it() -> None:
    async def crowd() -> tuple[int, bool]:
        phones = Phones()
        first = User(None, CARLA)
        phones.keep(first).switch(on=False)
        waiting = asyncio.create_task(phones.reaches(first, "delivered", arrived=False))
        await asyncio.sleep(0)
        for number in range(MOST_KEPT):
            phones.keep(user_with_phone(f"1666{number:07d}"))
        return len(phones.all()), await asyncio.wait_for(waiting, 1)

    assert asyncio.run(crowd()) == (MOST_KEPT, True)
