"""`/monitoring/dlq/{lane}`: inspect, redrive and discard dead letters, for operators' programs."""

from typing import Any

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from monitoring.access import MayMoveDeadLetters
from monitoring.dead_letters import redrive_jobs
from monitoring.dead_letters.inspect import look
from monitoring.models import Move
from monitoring.queue_depth import QueuesAway
from monitoring.queue_status import RETRY_AFTER_S
from waproject.queues import LANES, Lane
from waproject.web.strict_fields import strict_internal_value


class FailureSerializer(serializers.Serializer[Any]):
    """Why a task failed last."""

    error = serializers.CharField(help_text="The error's class.")
    words = serializers.CharField(help_text="Its words, without anything quoted.")
    place = serializers.CharField(help_text="The line of code that raised it.")
    first_at = serializers.DateTimeField()
    last_at = serializers.DateTimeField()
    times = serializers.IntegerField()


class OutboundSerializer(serializers.Serializer[Any]):
    """The message that a letter of the outgoing lane would send again."""

    id = serializers.UUIDField()
    status = serializers.CharField()
    error_code = serializers.IntegerField(allow_null=True)
    error_title = serializers.CharField()
    revivable = serializers.BooleanField(help_text="False: redriving this letter does nothing any more.")


class LetterSerializer(serializers.Serializer[Any]):
    """One dead letter, without texts and numbers of people."""

    message_id = serializers.CharField(help_text="SQS's id.")
    sent_at = serializers.DateTimeField()
    first_received_at = serializers.DateTimeField()
    receive_count = serializers.IntegerField()
    size = serializers.IntegerField(help_text="Of the body, in bytes.")
    task = serializers.CharField()
    task_id = serializers.CharField()
    fault = serializers.CharField(help_text="Why it is no task that the lane could run; empty where it is one.")
    arguments = serializers.CharField(help_text="JSON, veiled.")
    body = serializers.CharField(help_text="Of a body that is no JSON: its form, veiled.")
    failure = FailureSerializer(allow_null=True)
    outbound = OutboundSerializer(allow_null=True)


class MoveSerializer(serializers.ModelSerializer[Move]):
    """A move of dead letters and how far it is."""

    class Meta:
        model = Move
        fields = ["id", "lane", "action", "state", "total", "done", "error", "asked_by", "asked_at", "finished_at"]


class LookSerializer(serializers.Serializer[Any]):
    """What lies on a dead-letter queue."""

    lane = serializers.CharField()
    total = serializers.IntegerField(help_text="Approximate.")
    move = MoveSerializer(allow_null=True, help_text="The one that is under way.")
    letters = LetterSerializer(many=True)


class WhichSerializer(serializers.Serializer[Any]):
    """Which letters: some by SQS's ids, or all that were sent by now."""

    message_ids = serializers.ListField(
        child=serializers.CharField(max_length=100), min_length=1, max_length=redrive_jobs.MOST_IDS, required=False
    )
    all = serializers.BooleanField(default=False)

    def to_internal_value(self, data: Any) -> Any:
        """Refuse fields that are not known."""
        return strict_internal_value(super().to_internal_value, data, self.fields)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """One of the two."""
        if attrs["all"] == ("message_ids" in attrs):
            raise serializers.ValidationError({"message_ids": ["Give either message_ids, or all: true."]})
        return attrs


_NOT_THERE = OpenApiResponse(description="There is no such lane.")
_AWAY = OpenApiResponse(description="SQS does not answer.")
_ANOTHER = OpenApiResponse(description="The lane's letters are being moved already; `move` says how far.")
_MOVE = {202: MoveSerializer, 404: _NOT_THERE, 409: _ANOTHER}


class DeadLettersView(APIView):
    """What lies on a lane's dead-letter queue."""

    permission_classes = [MayMoveDeadLetters]

    @extend_schema(responses={200: LookSerializer, 404: _NOT_THERE, 503: _AWAY})
    def get(self, request: Request, lane: str) -> Response:
        """Up to 200 letters, the one that was sent first at the top. Looking raises their receive counts."""
        try:
            found = look(lane_of(lane))
        except QueuesAway as error:
            detail = {"detail": f"SQS does not answer: {error}."}
            return Response(detail, status=503, headers={"Retry-After": str(RETRY_AFTER_S)})
        move = redrive_jobs.under_way(LANES[lane])
        body = {"lane": lane, "total": found.total, "move": move, "letters": found.letters}
        return Response(LookSerializer(body).data)


class RedriveView(APIView):
    """Back to the lane's queue, as if they had never been tried."""

    permission_classes = [MayMoveDeadLetters]

    @extend_schema(request=WhichSerializer, responses=_MOVE)
    def post(self, request: Request, lane: str) -> Response:
        """The move, which the monitor process makes; follow it by its id."""
        return _ask(request, lane, Move.Action.REDRIVE)


class DiscardView(APIView):
    """Deleted for good."""

    permission_classes = [MayMoveDeadLetters]

    @extend_schema(request=WhichSerializer, responses=_MOVE)
    def post(self, request: Request, lane: str) -> Response:
        """The move, which the monitor process makes; follow it by its id."""
        return _ask(request, lane, Move.Action.DISCARD)


class MoveView(APIView):
    """One move."""

    permission_classes = [MayMoveDeadLetters]

    @extend_schema(responses=MoveSerializer)
    def get(self, request: Request, pk: int) -> Response:
        """How far it is."""
        return Response(MoveSerializer(_move(pk)).data)


class StopMoveView(APIView):
    """End a move where it is."""

    permission_classes = [MayMoveDeadLetters]

    @extend_schema(request=None, responses={202: MoveSerializer, 409: MoveSerializer})
    def post(self, request: Request, pk: int) -> Response:
        """The move, which ends after the step that is under way. 409 where it is over."""
        _move(pk)
        stopped = redrive_jobs.stop(pk, str(request.user))
        return Response(MoveSerializer(_move(pk)).data, status=202 if stopped else 409)


def lane_of(name: str) -> Lane:
    """A lane by its name. Raises NotFound."""
    if name not in LANES:
        raise NotFound(f"There is no lane {name[:20]!r}: {', '.join(LANES)}.")
    return LANES[name]


def _ask(request: Request, lane: str, action: Move.Action) -> Response:
    asked = lane_of(lane)
    which = WhichSerializer(data=request.data)
    which.is_valid(raise_exception=True)
    try:
        move = redrive_jobs.ask(asked, action, which.validated_data.get("message_ids"), str(request.user))
    except redrive_jobs.MoveUnderWay:
        other = redrive_jobs.under_way(asked)
        detail = "Its letters are being moved already: wait, or stop that."
        return Response({"detail": detail, "move": MoveSerializer(other).data if other else None}, status=409)
    return Response(MoveSerializer(move).data, status=202)


def _move(pk: int) -> Move:
    move = Move.objects.filter(pk=pk).first()
    if move is None:
        raise NotFound("No move has this id.")
    return move
