"""`/monitoring/dlq/{lane}`: inspect, redrive and discard dead letters, for operators' programs."""

from typing import Any

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from monitoring.access import MayMoveDeadLetters
from monitoring.dead_letters import redrive_jobs
from monitoring.dead_letters.inspect import inspect_queue
from monitoring.models import Move
from monitoring.queue_depth import SqsUnavailable
from monitoring.queue_status import unavailable
from waproject.queues import LANES, Lane
from waproject.web.api.strict_fields import strict_internal_value
from waproject.web.api.views import StrictQueries


class FailureSerializer(serializers.Serializer[Any]):
    """The last failure of a task."""

    error = serializers.CharField(help_text="The class of the error.")
    words = serializers.CharField(help_text="The message of the error, without quoted values.")
    place = serializers.CharField(help_text="The line of code that raised it.")
    first_at = serializers.DateTimeField()
    last_at = serializers.DateTimeField()
    times = serializers.IntegerField()


class OutboundSerializer(serializers.Serializer[Any]):
    """The outbound message that a dead letter of the outgoing lane would send again."""

    id = serializers.UUIDField()
    status = serializers.CharField()
    error_code = serializers.IntegerField(allow_null=True)
    error_title = serializers.CharField()
    revivable = serializers.BooleanField(
        help_text="False if a redrive has no effect, because the message was sent again since."
    )


class DeadLetterSerializer(serializers.Serializer[Any]):
    """One dead letter, without message texts and phone numbers."""

    message_id = serializers.CharField(help_text="The id of the SQS message.")
    sent_at = serializers.DateTimeField()
    first_received_at = serializers.DateTimeField()
    receive_count = serializers.IntegerField()
    size = serializers.IntegerField(help_text="The size of the body in bytes.")
    task = serializers.CharField()
    task_id = serializers.CharField()
    fault = serializers.CharField(help_text="Why the lane cannot run it as a task; empty if it can.")
    arguments = serializers.CharField(help_text="JSON, redacted.")
    body = serializers.CharField(help_text="A body that is not JSON: its form, redacted.")
    failure = FailureSerializer(allow_null=True)
    outbound = OutboundSerializer(allow_null=True)


class MoveSerializer(serializers.ModelSerializer[Move]):
    """A job that redrives or discards dead letters, with its progress."""

    class Meta:
        model = Move
        fields = ["id", "lane", "action", "state", "total", "done", "error", "asked_by", "asked_at", "finished_at"]


class InspectionSerializer(serializers.Serializer[Any]):
    """The messages on a dead-letter queue."""

    lane = serializers.CharField()
    total = serializers.IntegerField(help_text="Approximate.")
    move = MoveSerializer(allow_null=True, help_text="The active job.")
    letters = DeadLetterSerializer(many=True)


class SelectionSerializer(serializers.Serializer[Any]):
    """Selected dead letters, by the ids of their SQS messages, or all that were sent by now."""

    message_ids = serializers.ListField(
        child=serializers.CharField(max_length=100), min_length=1, max_length=redrive_jobs.MAX_IDS, required=False
    )
    all = serializers.BooleanField(default=False)

    def to_internal_value(self, data: Any) -> Any:
        """Refuse unknown fields."""
        return strict_internal_value(super().to_internal_value, data, self.fields)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Require exactly one of the two fields."""
        if attrs["all"] == ("message_ids" in attrs):
            raise serializers.ValidationError({"message_ids": ["Give either message_ids, or all: true."]})
        return attrs


_UNKNOWN_LANE = OpenApiResponse(description="There is no such lane.")
_SQS_UNAVAILABLE = OpenApiResponse(description="SQS does not answer.")
_IN_PROGRESS = OpenApiResponse(description="The lane has an active job already: `move`.")
_MOVE_RESPONSES = {202: MoveSerializer, 404: _UNKNOWN_LANE, 409: _IN_PROGRESS}


class DeadLettersView(StrictQueries):
    """The messages on a lane's dead-letter queue."""

    permission_classes = [MayMoveDeadLetters]

    @extend_schema(responses={200: InspectionSerializer, 404: _UNKNOWN_LANE, 503: _SQS_UNAVAILABLE})
    def get(self, request: Request, lane: str) -> Response:
        """Up to 200 dead letters, the oldest first. Each request raises their receive counts."""
        try:
            inspection = inspect_queue(lane_of(lane))
        except SqsUnavailable as error:
            return unavailable(error)
        move = redrive_jobs.active_move(LANES[lane])
        body = {"lane": lane, "total": inspection.total, "move": move, "letters": inspection.messages}
        return Response(InspectionSerializer(body).data)


class RedriveView(StrictQueries):
    """Send dead letters to the lane's queue again, as if they had never been tried."""

    permission_classes = [MayMoveDeadLetters]

    @extend_schema(request=SelectionSerializer, responses=_MOVE_RESPONSES)
    def post(self, request: Request, lane: str) -> Response:
        """Create a job; the monitor process runs it. Poll it by its id."""
        return _request_move(request, lane, Move.Action.REDRIVE)


class DiscardView(StrictQueries):
    """Delete dead letters for good."""

    permission_classes = [MayMoveDeadLetters]

    @extend_schema(request=SelectionSerializer, responses=_MOVE_RESPONSES)
    def post(self, request: Request, lane: str) -> Response:
        """Create a job; the monitor process runs it. Poll it by its id."""
        return _request_move(request, lane, Move.Action.DISCARD)


class MoveView(StrictQueries):
    """One redrive or discard job."""

    permission_classes = [MayMoveDeadLetters]

    @extend_schema(responses=MoveSerializer)
    def get(self, request: Request, pk: int) -> Response:
        """The job and its progress."""
        return Response(MoveSerializer(_move(pk)).data)


class StopMoveView(StrictQueries):
    """Stop a job."""

    permission_classes = [MayMoveDeadLetters]
    takes_no_body = True

    @extend_schema(request=None, responses={202: MoveSerializer, 409: MoveSerializer})
    def post(self, request: Request, pk: int) -> Response:
        """The job ends after its current step. 409 if it has finished."""
        _move(pk)
        stopped = redrive_jobs.stop(pk, str(request.user))
        return Response(MoveSerializer(_move(pk)).data, status=202 if stopped else 409)


def lane_of(name: str) -> Lane:
    """A lane by its name. Raises NotFound."""
    if name not in LANES:
        raise NotFound(f"There is no lane {name[:20]!r}. The lanes are {', '.join(LANES)}.")
    return LANES[name]


def _request_move(request: Request, lane: str, action: Move.Action) -> Response:
    target = lane_of(lane)
    selection = SelectionSerializer(data=request.data)
    selection.is_valid(raise_exception=True)
    try:
        ids = selection.validated_data.get("message_ids")
        move = redrive_jobs.request_move(target, action, ids, str(request.user))
    except redrive_jobs.MoveInProgress:
        other = redrive_jobs.active_move(target)
        detail = "This lane has an active job already. Wait for it, or stop it."
        return Response({"detail": detail, "move": MoveSerializer(other).data if other else None}, status=409)
    return Response(MoveSerializer(move).data, status=202)


def _move(pk: int) -> Move:
    move = Move.objects.filter(pk=pk).first()
    if move is None:
        raise NotFound("There is no job with this id.")
    return move
