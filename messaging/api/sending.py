"""`POST /messaging/send` and `/messaging/send/bulk`: a message is accepted now and sent by the dispatcher."""

from collections.abc import Iterable
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from messaging.api.idempotency import HEADER_PARAMETER, answered_once, stored_form
from messaging.authentication import client_of
from messaging.models import Message
from messaging.serializers import (
    MAX_BULK,
    AcceptedSerializer,
    BulkAnswerSerializer,
    BulkSerializer,
    SendSerializer,
)
from messaging.services import Once, draft, numbers_to_send_from, store


class SendView(APIView):
    """Accept one message; the answer comes before it is sent."""

    @extend_schema(request=SendSerializer, responses={202: AcceptedSerializer}, parameters=[HEADER_PARAMETER])
    def post(self, request: Request) -> Response:
        """202 with our id; follow it at /messaging/messages/{id}."""

        def work(once: Once | None) -> Response | None:
            serializer = SendSerializer(data=request.data)
            serializer.is_valid(raise_exception=True)
            rows = draft([serializer.validated_data["new"]], client_of(request))
            answer = _accepted(rows[0], serializer.validated_data["warnings"])
            return Response(answer, status=202) if store(rows, once, stored_form(answer)) else None

        return answered_once(request, work)


class SendBulkView(APIView):
    """Accept up to 1,000 messages in one request."""

    @extend_schema(request=BulkSerializer, responses={202: BulkAnswerSerializer}, parameters=[HEADER_PARAMETER])
    def post(self, request: Request) -> Response:
        """202 with a result per item: the good ones are accepted, the bad ones named by index. 400 if none is good."""

        def work(once: Once | None) -> Response | None:
            results, good = _checked(_bulk_items(request.data))
            answer = {"results": results}
            if not good:
                return Response(answer, status=400)
            rows = draft([data["new"] for _, data in good], client_of(request))
            for (result, data), row in zip(good, rows, strict=True):
                result.update(_accepted(row, data["warnings"]))
            return Response(answer, status=202) if store(rows, once, stored_form(answer)) else None

        return answered_once(request, work)


def _bulk_items(data: Any) -> list[Any]:
    if not isinstance(data, dict):
        raise ValidationError({"messages": ['The body is an object: {"messages": [...]}.']})
    if unknown := set(data) - {"messages"}:
        raise ValidationError(dict.fromkeys(sorted(unknown), "Unknown field."))
    items = data.get("messages")
    if not isinstance(items, list) or not items:
        raise ValidationError({"messages": ["A list of send bodies is required."]})
    if len(items) > MAX_BULK:
        raise ValidationError({"messages": [f"At most {MAX_BULK} messages in one request; these are {len(items)}."]})
    return items


def _checked(items: list[Any]) -> tuple[list[dict[str, Any]], list[tuple[dict[str, Any], dict[str, Any]]]]:
    """A result per item, and beside the result of each good one its validated data."""
    context: dict[str, Any] = {"numbers": numbers_to_send_from(_senders(items))}
    results: list[dict[str, Any]] = []
    good: list[tuple[dict[str, Any], dict[str, Any]]] = []
    for index, item in enumerate(items):
        serializer = SendSerializer(data=item, context=context)
        result: dict[str, Any] = {"index": index}
        results.append(result)
        if serializer.is_valid():
            good.append((result, serializer.validated_data))
        else:
            result["errors"] = serializer.errors
    return results, good


def _senders(items: Iterable[Any]) -> set[str | None]:
    """What a bulk's items name as their senders; None is the default one."""
    named = [item.get("sender") for item in items if isinstance(item, dict)]
    return {sender.strip() if isinstance(sender, str) else None for sender in named}


def _accepted(message: Message, warnings: list[str]) -> dict[str, Any]:
    answer: dict[str, Any] = {"id": str(message.id), "status": message.status}
    return {**answer, "warnings": warnings} if warnings else answer
