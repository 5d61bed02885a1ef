"""`/monitoring/dlq/{lane}`: inspect, redrive and discard dead letters, for operators' programs."""

from typing import Any

from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from monitoring.access import MayMoveDeadLetters
from monitoring.dead_letters import redrive_jobs
from monitoring.dead_letters.inspect import inspect_queue
from monitoring.models import RedriveJob
from monitoring.queue_depth import SqsUnavailable
from monitoring.queue_status import unavailable
from waproject.queues import LANES, Lane
from waproject.web.api.strict_fields import strict_internal_value
from waproject.web.api.views import StrictQueries


class FailureSerializer(serializers.Serializer[Any]):
    """The last failure of a task."""

    error = serializers.CharField(help_text="The class of the error.")
    message = serializers.CharField(help_text="The message of the error, without quoted values.")
    words = serializers.CharField(source="message", help_text="Former name of message.")
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


@extend_schema_serializer(component_name="Move")
class RedriveJobSerializer(serializers.ModelSerializer[RedriveJob]):
    """A job that redrives or discards dead letters, with its progress."""

    asked_by = serializers.CharField(source="requested_by", read_only=True, help_text="Former name of requested_by.")
    asked_at = serializers.DateTimeField(
        source="requested_at", read_only=True, help_text="Former name of requested_at."
    )

    class Meta:
        model = RedriveJob
        fields = [
            "id", "lane", "action", "state", "total", "done", "error", "requested_by", "requested_at", "finished_at",
            "asked_by", "asked_at",
        ]  # fmt: skip


class InspectionSerializer(serializers.Serializer[Any]):
    """The messages on a dead-letter queue."""

    lane = serializers.CharField()
    total = serializers.IntegerField(help_text="Approximate.")
    move = RedriveJobSerializer(allow_null=True, help_text="The active job.")
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
_JOB_RESPONSES = {202: RedriveJobSerializer, 404: _UNKNOWN_LANE, 409: _IN_PROGRESS}


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
        job = redrive_jobs.active_job(LANES[lane])
        body = {"lane": lane, "total": inspection.total, "move": job, "letters": inspection.messages}
        return Response(InspectionSerializer(body).data)


class RedriveView(StrictQueries):
    """Send dead letters to the lane's queue again, as if they had never been tried."""

    permission_classes = [MayMoveDeadLetters]

    @extend_schema(request=SelectionSerializer, responses=_JOB_RESPONSES)
    def post(self, request: Request, lane: str) -> Response:
        """Create a job; the monitor process runs it. Poll it by its id."""
        return _request_job(request, lane, RedriveJob.Action.REDRIVE)


class DiscardView(StrictQueries):
    """Delete dead letters for good."""

    permission_classes = [MayMoveDeadLetters]

    @extend_schema(request=SelectionSerializer, responses=_JOB_RESPONSES)
    def post(self, request: Request, lane: str) -> Response:
        """Create a job; the monitor process runs it. Poll it by its id."""
        return _request_job(request, lane, RedriveJob.Action.DISCARD)


class RedriveJobView(StrictQueries):
    """One redrive or discard job."""

    permission_classes = [MayMoveDeadLetters]

    @extend_schema(responses=RedriveJobSerializer)
    def get(self, request: Request, pk: int) -> Response:
        """The job and its progress."""
        return Response(RedriveJobSerializer(_job(pk)).data)


class StopRedriveJobView(StrictQueries):
    """Stop a job."""

    permission_classes = [MayMoveDeadLetters]
    takes_no_body = True

    @extend_schema(request=None, responses={202: RedriveJobSerializer, 409: RedriveJobSerializer})
    def post(self, request: Request, pk: int) -> Response:
        """The job ends after its current step. 409 if it has finished."""
        _job(pk)
        stopped = redrive_jobs.stop(pk, str(request.user))
        return Response(RedriveJobSerializer(_job(pk)).data, status=202 if stopped else 409)


def lane_of(name: str) -> Lane:
    """A lane by its name. Raises NotFound."""
    if name not in LANES:
        raise NotFound(f"There is no lane {name[:20]!r}. The lanes are {', '.join(LANES)}.")
    return LANES[name]


def _request_job(request: Request, lane: str, action: RedriveJob.Action) -> Response:
    target = lane_of(lane)
    selection = SelectionSerializer(data=request.data)
    selection.is_valid(raise_exception=True)
    try:
        ids = selection.validated_data.get("message_ids")
        job = redrive_jobs.request_job(target, action, ids, str(request.user))
    except redrive_jobs.JobInProgress:
        other = redrive_jobs.active_job(target)
        detail = "This lane has an active job already. Wait for it, or stop it."
        return Response({"detail": detail, "move": RedriveJobSerializer(other).data if other else None}, status=409)
    return Response(RedriveJobSerializer(job).data, status=202)


def _job(pk: int) -> RedriveJob:
    job = RedriveJob.objects.filter(pk=pk).first()
    if job is None:
        raise NotFound("There is no job with this id.")
    return job
