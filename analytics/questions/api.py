"""`GET /analytics/summary` and its like: each asks a question of the rollups."""

from collections.abc import Callable
from functools import partial
from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from analytics.questions import answers
from analytics.questions.csv_answer import RowsResponse
from analytics.questions.dimensions import DIMENSIONS
from analytics.questions.parameters import GroupedQuery, SteppedQuery, read_question
from analytics.questions.question import Question
from analytics.questions.view import QuestionView, describe


class PeriodSerializer(serializers.Serializer[Any]):
    """The period that was counted."""

    since = serializers.DateTimeField()
    until = serializers.DateTimeField()
    timezone = serializers.CharField()


class AnswerSerializer(serializers.Serializer[Any]):
    """Rows, and what was counted."""

    period = PeriodSerializer()
    note = serializers.CharField(help_text="What the rows leave out, in a sentence; empty: nothing.")
    rows = serializers.ListField(
        child=serializers.DictField(),
        help_text="Counts; `rates`: share, count and of; `latency`: p50, p90, p95 and p99 in seconds, and count.",
    )


def answered(question: Question, answer: answers.Answer) -> Response:
    """The answer in the form that all questions share."""
    period = question.period
    return RowsResponse(
        {
            "period": {
                "since": period.local(period.since).isoformat(),
                "until": period.local(period.until).isoformat(),
                "timezone": str(period.zone),
            },
            "note": answer.note,
            "rows": answer.rows,
        },
        answer.blank,
    )


def question(
    name: str, text: str, answer: Callable[[Question], answers.Answer], query: type[GroupedQuery] = GroupedQuery
) -> type[QuestionView]:
    """The view that answers a question; `text` describes it in the OpenAPI page."""

    @describe(query, AnswerSerializer)
    def get(self: QuestionView, request: Request) -> Response:
        question, _ = read_question(request, query)
        return answered(question, answer(question))

    get.__doc__ = text
    return type(f"{name}View", (QuestionView,), {"get": get, "__doc__": text})


def _by(name: str) -> Callable[[Question], answers.Answer]:
    return partial(answers.by_dimension, name=DIMENSIONS[name].name)


SummaryView = question("Summary", "Counts, rates and latency percentiles, of all or by group.", answers.summary)
TimeseriesView = question("Timeseries", "The same by step of time.", answers.timeseries, SteppedQuery)
FunnelView = question("Funnel", "How many outbound messages came how far.", answers.funnels)
ErrorsView = question("Errors", "Why outbound messages failed, in words.", answers.errors)
TemplatesView = question("Templates", "Outbound messages by template.", _by("template"))
CampaignsView = question("Campaigns", "Outbound messages by campaign.", _by("campaign"))
ConversationsView = question("Conversations", "Answers of users, and ours: how often, how soon.", answers.conversations)

VIEWS = {
    "summary": SummaryView,
    "timeseries": TimeseriesView,
    "funnel": FunnelView,
    "errors": ErrorsView,
    "templates": TemplatesView,
    "campaigns": CampaignsView,
    "conversations": ConversationsView,
}
