"""`POST /messaging/send` and `/messaging/send/bulk`."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from messaging.accepting.accept import NewMessage, draft, store
from messaging.accepting.business_numbers import numbers_to_send_from
from messaging.accepting.examples import BULK_EXAMPLES, SEND_EXAMPLES
from messaging.accepting.recipient_checks import RecipientCheck, check_recipients
from messaging.accepting.reply_targets import with_reply_targets
from messaging.accepting.serializers import (
    MAX_BULK,
    AcceptedSerializer,
    BulkAnswerSerializer,
    BulkSerializer,
    SendSerializer,
)
from messaging.accepting.service_window import WindowClosed, WindowPolicy, window_policy
from messaging.accepting.waiting_warnings import waiting_warnings
from messaging.access import HEADER_PARAMETER, REFUSALS, Once, answered_once, client_of, stored_form
from messaging.contacts import DOUBTFUL, digits_of, known_recipients
from messaging.models import ApiClient, Message, Priority
from messaging.whatsapp.outbound import InvalidContent
from messaging.whatsapp.recipients import canonical, spellings
from waproject.web.strict_fields import refuse_unknown

HIGH_REFUSED = "This API client may not use the priority high; use normal or low, or have an administrator allow it."


class SendView(APIView):
    """Accept one message; the answer comes before it is sent."""

    staff_permissions = {"POST": "messaging.add_message"}

    @extend_schema(
        request=SendSerializer,
        responses={202: AcceptedSerializer, **REFUSALS},
        parameters=[HEADER_PARAMETER],
        examples=SEND_EXAMPLES,
    )
    def post(self, request: Request) -> Response:
        """202 with our id; follow it at /messaging/messages/{id}."""

        def work(once: Once | None) -> Response | None:
            (item,) = _checked([request.data], client_of(request))
            if isinstance(item, _Bad):
                raise ValidationError(item.errors)
            rows = draft([item.new], client_of(request))
            answer = _accepted(rows[0], item.warnings)
            return Response(answer, status=202) if store(rows, once, stored_form(answer) if once else "") else None

        return answered_once(request, work, _same_send)


class SendBulkView(APIView):
    """Accept up to 1,000 messages in one request."""

    staff_permissions = {"POST": "messaging.add_message"}

    @extend_schema(
        request=BulkSerializer,
        responses={202: BulkAnswerSerializer, **REFUSALS},
        parameters=[HEADER_PARAMETER],
        examples=BULK_EXAMPLES,
    )
    def post(self, request: Request) -> Response:
        """202 with a result per item: accepted, or refused with its errors. 400 if every item is refused."""

        def work(once: Once | None) -> Response | None:
            items = _checked(_bulk_items(request.data), client_of(request))
            good = [item for item in items if isinstance(item, _Good)]
            rows = draft([item.new for item in good], client_of(request))
            answers = [_accepted(row, item.warnings) for row, item in zip(rows, good, strict=True)]
            answer = {"results": _results(items, answers)}
            if not good:
                return Response(answer, status=400)
            return Response(answer, status=202) if store(rows, once, stored_form(answer) if once else "") else None

        return answered_once(request, work, _same_bulk)


def _same_send(body: Any) -> Any:
    """A body in which a number of several spellings has one; others stay as they are written."""
    number = (
        digits_of(body["phone_number"]) if isinstance(body, dict) and isinstance(body.get("phone_number"), str) else ""
    )
    return {**body, "phone_number": canonical(number)} if len(spellings(number)) > 1 else body


def _same_bulk(body: Any) -> Any:
    items = body.get("messages") if isinstance(body, dict) else None
    return {**body, "messages": [_same_send(item) for item in items]} if isinstance(items, list) else body


def _bulk_items(data: Any) -> list[Any]:
    if not isinstance(data, dict):
        raise ValidationError({"messages": ['The body is an object: {"messages": [...]}.']})
    refuse_unknown(data, {"messages"})
    items = data.get("messages")
    if not isinstance(items, list) or not items:
        raise ValidationError({"messages": ["A list of send bodies is required."]})
    if len(items) > MAX_BULK:
        raise ValidationError({"messages": [f"At most {MAX_BULK} messages in one request; these are {len(items)}."]})
    return items


@dataclass(frozen=True, slots=True)
class _Good:
    new: NewMessage
    warnings: list[str]


@dataclass(frozen=True, slots=True)
class _Bad:
    errors: Any


def _checked(bodies: list[Any], client: ApiClient | None) -> list[_Good | _Bad]:
    """Validate each body and check the recipients of valid ones; one query for all senders, one for all recipients."""
    items = _with_reply_targets([_with_priority(item, client) for item in _validated(bodies)])
    good = [item.new for item in items if isinstance(item, _Good)]
    if not good:
        return items
    policy = window_policy()
    doubtful = {canonical(item.new.peer) for item in items if isinstance(item, _Good) and DOUBTFUL in item.warnings}
    found = iter(check_recipients(good, windows=policy is not WindowPolicy.OFF, doubtful=doubtful))
    return [_decided(item, next(found), policy) if isinstance(item, _Good) else item for item in items]


def _with_priority(item: _Good | _Bad, client: ApiClient | None) -> _Good | _Bad:
    """Refuse the priority `high` to a client that may not use it."""
    if isinstance(item, _Bad) or client is None or client.may_send_high or item.new.priority is not Priority.HIGH:
        return item
    return _Bad({"priority": [HIGH_REFUSED]})


def _with_reply_targets(items: list[_Good | _Bad]) -> list[_Good | _Bad]:
    """Replace our ids of reply targets by wamids."""
    resolved = iter(with_reply_targets([item.new for item in items if isinstance(item, _Good)]))
    return [_with(item, next(resolved)) if isinstance(item, _Good) else item for item in items]


def _with(item: _Good, resolved: NewMessage | InvalidContent) -> _Good | _Bad:
    if isinstance(resolved, InvalidContent):
        return _Bad({resolved.field: [resolved.message]})
    return _Good(resolved, item.warnings)


def _validated(bodies: Sequence[Any]) -> list[_Good | _Bad]:
    """Each body by itself; refused numbers are looked up, all at once, and validated again: whoever has written to us
    can be answered.
    """
    numbers = numbers_to_send_from(_senders(bodies))
    serializer = SendSerializer.kept(numbers)
    items = [_validated_alone(body, serializer) for body in bodies]
    refused = [index for index, item in enumerate(items) if isinstance(item, _Bad) and "phone_number" in item.errors]
    known = known_recipients(_numbers_of(bodies[index] for index in refused))
    if known:
        serializer = SendSerializer.kept(numbers, known)
        for index in refused:
            items[index] = _validated_alone(bodies[index], serializer)
    return items


def _numbers_of(bodies: Iterable[Any]) -> list[str]:
    named = [body.get("phone_number") for body in bodies if isinstance(body, dict)]
    return [number for number in named if isinstance(number, str)]


def _validated_alone(body: Any, serializer: SendSerializer) -> _Good | _Bad:
    try:
        data = serializer.run_validation(body)
    except ValidationError as error:
        # What is no object at all has a list of errors and no field to name.
        return _Bad(error.detail if isinstance(error.detail, dict) else {"non_field_errors": error.detail})
    return _Good(data["new"], data["warnings"])


def _decided(item: _Good, check: RecipientCheck, policy: WindowPolicy) -> _Good | _Bad:
    if check.refusal:
        return _Bad({"phone_number": [check.refusal]})
    warnings = [warning for warning in item.warnings if not (warning == DOUBTFUL and check.is_known)]
    if not check.window_closed:
        return _Good(check.message, warnings)
    if policy is WindowPolicy.REJECT:
        return _Bad({"message_type": [str(WindowClosed())]})
    return _Good(check.message, [*warnings, str(WindowClosed())])


def _results(items: list[_Good | _Bad], answers: list[dict[str, Any]]) -> list[dict[str, Any]]:
    accepted = iter(answers)
    return [
        {"index": index, **({"errors": item.errors} if isinstance(item, _Bad) else next(accepted))}
        for index, item in enumerate(items)
    ]


def _senders(items: Iterable[Any]) -> set[str | None]:
    """The senders that items name; None for the default one."""
    named = [item.get("sender") for item in items if isinstance(item, dict)]
    return {sender.strip() if isinstance(sender, str) else None for sender in named}


def _accepted(message: Message, warnings: list[str]) -> dict[str, Any]:
    warnings = [*warnings, *waiting_warnings(message)]
    answer: dict[str, Any] = {"id": str(message.id), "status": message.status}
    return {**answer, "warnings": warnings} if warnings else answer
