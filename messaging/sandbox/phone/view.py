"""The page's view as JSON, computed on request from the ledger and the phones."""

from __future__ import annotations

import time
from typing import Any

from ..ledger import Entry
from ..simulator import Simulator
from ..users.inbound import DEFAULT_NAME
from ..users.phones import Phone, UserMessage

JSON = dict[str, Any]
MOST_SHOWN = 200
_WORDS = ("body", "caption", "name", "filename", "emoji", "text", "title")


def view(simulator: Simulator, address: str) -> JSON:
    """``{"business", "people": [...], "phone": {...} | null}``, the phone at this address with its messages."""
    phones = simulator.phones
    phone = phones.find(address)
    return {
        "business": simulator.identity.display_phone_number,
        "people": [_summary(simulator, one) for one in phones.all()],
        "phone": phone and {**_person(phone), **_switches(phone), "messages": _messages(simulator, phone),
                            "waiting": _waiting(simulator, phone), "held": _held(simulator, phone),
                            "typing": phone.typing_until > time.time()},
    }  # fmt: skip


def _person(phone: Phone) -> JSON:
    return {
        "address": phone.user.address,
        "name": phone.name or (f"+{phone.user.wa_id}" if phone.user.wa_id else phone.user.user_id),
        "profile_name": phone.name or DEFAULT_NAME,
        "number": phone.user.wa_id,
        "user_id": phone.user.user_id,
    }


def _switches(phone: Phone) -> JSON:
    return {"on": phone.on, "reads": phone.reads, "blocked": phone.blocked, "marketing": phone.marketing}


def _summary(simulator: Simulator, phone: Phone) -> JSON:
    arrived = [entry for entry in _entries(simulator, phone)[-20:] if entry.arrived]
    unread = sum(
        entry.message.type != "reaction" and all(report.status != "read" for report in entry.statuses)
        for entry in arrived
    )
    last = max(
        [(entry.accepted_at, _line(entry.message.type, entry.message.body)) for entry in arrived[-1:]]
        + [(said.at, _line(said.content["type"], said.content)) for said in list(phone.written)[-1:]],
        default=(None, ""),
    )
    return {**_person(phone), "at": last[0], "last": last[1], "unread": unread, "on": phone.on}


def _line(kind: str, content: JSON) -> str:
    return _words(content.get(kind)) or f"[{kind}]"


def _words(node: object) -> str:
    """The beginning of what a message says, for a list."""
    left: list[object] = node[:1] if isinstance(node, list) else [node]
    while left:
        one = left.pop()
        if not isinstance(one, dict):
            continue
        for name in _WORDS:
            if isinstance(found := one.get(name), str) and found:
                return found[:80]
        left.extend(value for value in reversed(one.values()) if isinstance(value, dict))
    return ""


def _entries(simulator: Simulator, phone: Phone) -> list[Entry]:
    """The newest sends to this phone, by number and by user id, oldest first."""
    ledger, user = simulator.ledger, phone.user
    found = ledger.newest_to(user.address, MOST_SHOWN)
    if user.wa_id:
        found = sorted([*found, *ledger.newest_to(user.user_id, MOST_SHOWN)], key=lambda entry: entry.accepted_at)
    return found[-MOST_SHOWN:]


def _waiting(simulator: Simulator, phone: Phone) -> int:
    """How many messages wait for the phone to be on."""
    return sum(
        len(entry.statuses) <= 1 and not _ended(entry) and not entry.is_held for entry in _entries(simulator, phone)
    )


def _held(simulator: Simulator, phone: Phone) -> int:
    """How many messages Meta holds for the quality assessment of their template."""
    return sum(entry.is_held for entry in _entries(simulator, phone))


def _ended(entry: Entry) -> bool:
    return entry.arrived or any(report.status == "failed" for report in entry.statuses)


def _messages(simulator: Simulator, phone: Phone) -> list[JSON]:
    received = [entry for entry in _entries(simulator, phone) if entry.arrived]
    both = sorted(
        [(entry.accepted_at, _received(simulator, entry)) for entry in received]
        + [(said.at, _written(simulator, said)) for said in phone.written],
        key=lambda pair: pair[0],
    )
    return _with_reactions([message for _, message in both])[-MOST_SHOWN:]


def _received(simulator: Simulator, entry: Entry) -> JSON:
    kind, body = entry.message.type, entry.message.body
    context = body.get("context")
    return {
        "wamid": entry.wamid,
        "mine": False,
        "at": entry.accepted_at,
        "type": kind,
        "node": body.get(kind),
        "context": context.get("message_id") if isinstance(context, dict) else None,
        "files": _files(simulator, body.get(kind)),
        # As reported to the business.
        "ticks": "read" if any(report.status == "read" for report in entry.statuses) else "delivered",
    }


def _written(simulator: Simulator, said: UserMessage) -> JSON:
    kind = said.content["type"]
    context = said.content.get("context")
    delivered = said.delivery.acknowledged_at is not None
    return {
        "wamid": said.wamid,
        "mine": True,
        "at": said.at,
        "type": kind,
        "node": said.content.get(kind),
        "context": context.get("id") if isinstance(context, dict) else None,
        "files": _files(simulator, said.content.get(kind)),
        "ticks": "read" if said.read else "delivered" if delivered else "waiting",
        "refused": None if delivered or not said.delivery.attempts else said.delivery.http_status or "no answer",
    }


def _files(simulator: Simulator, node: object) -> list[str]:
    """The ids in a node, at any depth, of files that the sandbox has."""
    # Not by recursion: an order or the data of a flow may be nested as deeply as the sender likes.
    found: list[str] = []
    left: list[object] = [node]
    while left:
        one = left.pop()
        if isinstance(one, dict):
            named = one.get("id")
            if isinstance(named, str) and simulator.media.find(named):
                found.append(named)
            left.extend(reversed(one.values()))
        elif isinstance(one, list):
            left.extend(reversed(one))
    return found


def _with_reactions(messages: list[JSON]) -> list[JSON]:
    """The messages with the last reaction of each side attached; reactions are not messages of their own."""
    shown: dict[str, JSON] = {}
    for message in messages:
        node = message["node"]
        if message["type"] != "reaction" or not isinstance(node, dict):
            shown[message["wamid"]] = {**message, "reactions": {}}
        elif target := shown.get(str(node.get("message_id"))):
            target["reactions"]["user" if message["mine"] else "business"] = node.get("emoji") or ""
    return list(shown.values())
