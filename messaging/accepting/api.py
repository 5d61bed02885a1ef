"""`POST /messaging/send` and `/messaging/send/bulk`."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from messaging.accepting.accept import draft, store
from messaging.accepting.examples import BULK_EXAMPLES, SEND_EXAMPLES
from messaging.accepting.send_items import SendItem, check_items
from messaging.accepting.serializers import (
    MAX_BULK,
    AcceptedSerializer,
    BulkAnswerSerializer,
    BulkSerializer,
    EstimateAnswerSerializer,
    LimitForecastSerializer,
    SendSerializer,
)
from messaging.accepting.waiting_warnings import waiting_warnings
from messaging.access import (
    ERROR_RESPONSES,
    HEADER_PARAMETER,
    IdempotentRequest,
    answer_idempotently,
    checked_key,
    client_of,
    serialize_answer,
)
from messaging.contacts import digits_of
from messaging.estimates import PARAMETER, estimate
from messaging.models import ApiClient, Message
from messaging.portfolios import limit_forecasts
from messaging.whatsapp.recipients import canonical, spellings
from waproject.web.api.strict_fields import refuse_unknown
from waproject.web.api.views import StrictQueries

ESTIMATE_PARAMETER = OpenApiParameter(
    PARAMETER, bool, description="true: answer with what it would cost (200), and send, store and count nothing."
)


class SendView(StrictQueries):
    """Accept one message; the answer comes before it is sent."""

    staff_permissions = {"POST": "messaging.add_message"}
    query_parameters = (PARAMETER,)

    @extend_schema(
        request=SendSerializer,
        responses={200: EstimateAnswerSerializer, 202: AcceptedSerializer, **ERROR_RESPONSES},
        parameters=[HEADER_PARAMETER, ESTIMATE_PARAMETER],
        examples=SEND_EXAMPLES,
    )
    def post(self, request: Request) -> Response:
        """202 with our id; follow it at /messaging/messages/{id}. With ?estimate=true 200: nothing is sent."""
        if _asks_for_estimate(request):
            (item,) = check_items([request.data], client_of(request))
            if item.errors:
                raise ValidationError(item.errors)
            return Response(_estimated([item], client_of(request)))

        def accept(idempotent: IdempotentRequest | None) -> Response | None:
            (item,) = check_items([request.data], client_of(request))
            if item.errors:
                raise ValidationError(item.errors)
            rows, (answer,) = _drafted([item], client_of(request))
            return _stored(rows, answer, idempotent)

        return answer_idempotently(request, accept, _canonical_send)


class SendBulkView(StrictQueries):
    """Accept up to 1,000 messages in one request."""

    staff_permissions = {"POST": "messaging.add_message"}
    query_parameters = (PARAMETER,)

    @extend_schema(
        request=BulkSerializer,
        responses={200: EstimateAnswerSerializer, 202: BulkAnswerSerializer, **ERROR_RESPONSES},
        parameters=[HEADER_PARAMETER, ESTIMATE_PARAMETER],
        examples=BULK_EXAMPLES,
    )
    def post(self, request: Request) -> Response:
        """202 with a result per item: accepted, or refused with its errors. 400 if every item is refused.

        With ?estimate=true 200: nothing is sent, and the items that would be refused have no estimate.
        """
        if _asks_for_estimate(request):
            items = check_items(_bulk_bodies(request.data), client_of(request))
            answer = _estimated(items, client_of(request))
            return Response(answer, status=200 if answer["estimate"]["messages"] else 400)

        def accept(idempotent: IdempotentRequest | None) -> Response | None:
            client = client_of(request)
            rows, results = _drafted(check_items(_bulk_bodies(request.data), client), client)
            answer = {"results": [{"index": index, **result} for index, result in enumerate(results)], **_limits(rows)}
            return _stored(rows, answer, idempotent) if rows else Response(answer, status=400)

        return answer_idempotently(request, accept, _canonical_bulk)


def _drafted(items: list[SendItem], client: ApiClient | None) -> tuple[list[Message], list[dict[str, Any]]]:
    """The rows to store, and the answer to each item."""
    rows: list[Message] = []
    answers: list[dict[str, Any]] = []
    for item in items:
        if item.errors or item.message is None:
            answers.append({"errors": item.errors})
            continue
        row = draft(item.message, client)
        rows.append(row)
        warnings = [*item.warnings, *waiting_warnings(row)]
        answers.append({"id": str(row.id), "status": row.status, **({"warnings": warnings} if warnings else {})})
    return rows, answers


def _asks_for_estimate(request: Request) -> bool:
    """Whether ?estimate=true was given. Raises ValidationError for another value, which must not send by mistake.

    An estimate ignores an idempotency key; a malformed key is refused as for a send.
    """
    if not request.META.get("QUERY_STRING"):
        return False
    given = request.query_params.getlist(PARAMETER)
    if given in ([], ["false"]):
        return False
    if given != ["true"]:
        raise ValidationError({PARAMETER: ["Give true or false, once."]})
    checked_key(request)
    return True


def _estimated(items: list[SendItem], client: ApiClient | None) -> dict[str, Any]:
    """The estimate of all items that would be accepted, by their index, and the errors of the others."""
    accepted = [(index, item.message) for index, item in enumerate(items) if item.message and not item.errors]
    rows = [draft(message, client) for _, message in accepted]
    found = estimate(rows)
    messages = [{"index": index, **one} for (index, _), one in zip(accepted, found["messages"], strict=True)]
    refused = [{"index": index, "errors": item.errors} for index, item in enumerate(items) if item.errors]
    estimated = {"estimate": {**found, "messages": messages}, **_limits(rows)}
    return {**estimated, **({"refused": refused} if refused else {})}


def _limits(rows: list[Message]) -> dict[str, Any]:
    """How long the messages will wait for the messaging limits of their portfolios, where there are any."""
    found = LimitForecastSerializer(limit_forecasts(rows), many=True).data
    return {"messaging_limit": list(found)} if found else {}


def _stored(rows: list[Message], answer: dict[str, Any], idempotent: IdempotentRequest | None) -> Response | None:
    """202 once the rows are stored; None if the request's idempotency key was used before."""
    stored = store(rows, idempotent, serialize_answer(answer) if idempotent else "")
    return Response(answer, status=202) if stored else None


def _canonical_send(body: Any) -> Any:
    """The body with its phone number in canonical form, so that two spellings of a number make the same request."""
    number = (
        digits_of(body["phone_number"]) if isinstance(body, dict) and isinstance(body.get("phone_number"), str) else ""
    )
    return {**body, "phone_number": canonical(number)} if len(spellings(number)) > 1 else body


def _canonical_bulk(body: Any) -> Any:
    items = body.get("messages") if isinstance(body, dict) else None
    return {**body, "messages": [_canonical_send(item) for item in items]} if isinstance(items, list) else body


def _bulk_bodies(data: Any) -> list[Any]:
    if not isinstance(data, dict):
        raise ValidationError({"messages": ['The body is an object: {"messages": [...]}.']})
    refuse_unknown(data, {"messages"})
    bodies = data.get("messages")
    if not isinstance(bodies, list) or not bodies:
        raise ValidationError({"messages": ["A list of send bodies is required."]})
    if len(bodies) > MAX_BULK:
        raise ValidationError({"messages": [f"At most {MAX_BULK} messages in one request; these are {len(bodies)}."]})
    return bodies
