"""Answers to questions: rows, and a sentence where there are more than are listed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from analytics.questions.dimensions import DIMENSIONS
from analytics.questions.measures import DURATIONS, add, figures, funnel, merge, percentiles, share
from analytics.questions.pieces import days_of
from analytics.questions.question import Question
from analytics.questions.sums import NOTHING, Counts, Durations, Group, Histogram, Sums, count, histograms
from analytics.rollups import Kind, request_days
from messaging.whatsapp.error_codes import describe

# Steps times groups.
MAX_ROWS = 10_000
OUTBOUND = {"direction": "outbound"}
SENDING = (Kind.ACCEPT, Kind.DELIVERY, Kind.READ)


@dataclass(frozen=True, slots=True)
class Answer:
    """`note` says in a sentence what the rows leave out; empty: nothing."""

    rows: list[dict[str, Any]]
    note: str = ""


def summary(asked: Question) -> Answer:
    """Counts, rates and percentiles of each group, or of all."""
    found = count(asked)
    durations = histograms(asked, list(DURATIONS))
    groups = _largest(found.counts) if asked.group_by else [()]
    rows = [
        {
            **_named(asked, group),
            **figures(found.counts.get((0, group), NOTHING)),
            "latency": _latency(durations, 0, group, DURATIONS),
        }
        for group in groups
    ]
    return Answer(rows, _note(len(groups), found.groups))


def timeseries(asked: Question) -> Answer:
    """The same by step. Of groups those with most messages, so that the answer has at most 10,000 rows."""
    steps = asked.steps
    request_days(days_of(steps, asked.period.until))
    groups: list[Group] = [()]
    note = ""
    if asked.group_by:
        whole = count(replace(asked, granularity=None, limit=min(asked.limit, MAX_ROWS // len(steps))))
        groups = _largest(whole.counts)
        note = _note(len(groups), whole.groups)
    return Answer(_steps(asked, groups, count(asked, groups), histograms(asked, list(DURATIONS), {*groups})), note)


def _steps(asked: Question, groups: Sequence[Group], found: Sums, durations: Durations) -> list[dict[str, Any]]:
    return [
        {
            "start": asked.period.local(step).isoformat(),
            **_named(asked, group),
            **figures(found.counts.get((n, group), NOTHING)),
            "latency": _latency(durations, n, group, DURATIONS),
        }
        for n, step in enumerate(asked.steps)
        for group in groups
    ]


@dataclass(frozen=True, slots=True)
class Overview:
    """The rows of `timeseries`, `summary`, `funnel` and `conversations` without groups."""

    steps: list[dict[str, Any]]
    total: dict[str, Any]
    funnel: list[dict[str, Any]]
    conversations: dict[str, Any]


def overview(asked: Question) -> Overview:
    """All of these for two statements: steps add up to the whole, histograms too. Raises BadPeriod."""
    request_days(days_of(asked.steps, asked.period.until))
    found, durations = count(asked), histograms(asked, list(DURATIONS))
    total = add(found.counts.values())
    whole: dict[tuple[int, Group, int], Histogram] = {
        (0, (), kind): merge(one for (_, _, of), one in durations.items() if of == kind) for kind in DURATIONS
    }
    return Overview(
        steps=_steps(asked, [()], found, durations),
        total={**figures(total), "latency": _latency(whole, 0, (), DURATIONS)},
        funnel=funnel(total),
        conversations=_conversation(total, whole.get((0, (), Kind.RESPONSE))),
    )


def funnels(asked: Question) -> Answer:
    """How many outbound messages reached each stage."""
    found = count(_with(asked, OUTBOUND))
    groups = _largest(found.counts) if asked.group_by else [()]
    rows = [
        {**_named(asked, group), **stage} for group in groups for stage in funnel(found.counts.get((0, group), NOTHING))
    ]
    return Answer(rows, _note(len(groups), found.groups))


def errors(asked: Question) -> Answer:
    """Error codes of failed outbound messages with their meaning; shares are of all that failed, or of the group's."""
    by_code = replace(asked, group_by=(*asked.group_by, DIMENSIONS["error_code"]))
    found = count(_with(by_code, {**OUTBOUND, "status": "failed"}))
    whole: dict[Group, int] = {}
    for (_, group), counts in found.counts.items():
        whole[group[:-1]] = whole.get(group[:-1], 0) + counts.messages
    rows = [
        {
            **_named(asked, group[:-1]),
            "error_code": group[-1],
            "meaning": meaning(int(group[-1])),
            "messages": found.counts[0, group].messages,
            "share": share(found.counts[0, group].messages, whole[group[:-1]]),
            "of": whole[group[:-1]],
        }
        for group in _largest(found.counts)
    ]
    return Answer(rows, _note(len(rows), found.groups))


def meaning(code: int) -> str:
    """An error code in words."""
    return describe(code) if code else "no answer, or no code in it"


def by_dimension(asked: Question, name: str) -> Answer:
    """Outbound messages by template or by campaign, with those that have none left out; other groups below."""
    sending, found, groups = _sending(asked, name)
    durations = histograms(sending, SENDING)
    kinds = {kind: DURATIONS[kind] for kind in SENDING}
    rows = [
        {
            **_named(sending, group),
            **_outbound(found.counts[0, group]),
            "latency": _latency(durations, 0, group, kinds),
        }
        for group in groups
    ]
    left_out = sum(1 for _, group in found.counts if not group[0])
    return Answer(rows, _note(len(groups), found.groups - left_out))


def counts_by(asked: Question, name: str) -> list[dict[str, Any]]:
    """The rows of `by_dimension` without latencies, for which histograms would be read."""
    sending, found, groups = _sending(asked, name)
    return [{**_named(sending, group), **_outbound(found.counts[0, group])} for group in groups]


def _sending(asked: Question, name: str) -> tuple[Question, Sums, list[Group]]:
    others = tuple(one for one in asked.group_by if one.name != name)
    sending = replace(_with(asked, OUTBOUND), group_by=(DIMENSIONS[name], *others), limit=asked.limit + 1)
    found = count(sending)
    return sending, found, [group for group in _largest(found.counts) if group[0]][: asked.limit]


def conversations(asked: Question) -> Answer:
    """How often users waited for us, how often and how soon we wrote back, and how often they wrote back to us."""
    found = count(asked)
    durations = histograms(asked, [Kind.RESPONSE])
    groups = _largest(found.counts) if asked.group_by else [()]
    rows = [
        {
            **_named(asked, group),
            **_conversation(found.counts.get((0, group), NOTHING), durations.get((0, group, Kind.RESPONSE))),
        }
        for group in groups
    ]
    return Answer(rows, _note(len(groups), found.groups))


def _conversation(counts: Counts, responses: Histogram | None) -> dict[str, Any]:
    whole = figures(counts)
    return {
        **{name: whole[name] for name in ("inbound", "opened", "responded", "accepted", "answered")},
        "rates": {name: whole["rates"][name] for name in ("responded", "answered")},
        "first_response": percentiles(responses),
    }


def _outbound(counts: Counts) -> dict[str, Any]:
    whole = figures(counts)
    for name in ("inbound", "outbound", "opened", "responded"):
        del whole[name]
    del whole["rates"]["responded"]
    return whole


def _with(asked: Question, filters: Mapping[str, str | int]) -> Question:
    """The question with these filters added; its own filters win."""
    return replace(asked, filters={**filters, **(asked.filters or {})})


def _largest(counts: Mapping[tuple[int, Group], Counts]) -> list[Group]:
    return [group for (_, group), _ in sorted(counts.items(), key=lambda one: (-one[1].messages, str(one[0][1])))]


def _named(asked: Question, group: Group) -> dict[str, str | int]:
    return {dimension.name: value for dimension, value in zip(asked.group_by, group, strict=True)}


def _latency(found: Durations, step: int, group: Group, kinds: Mapping[Kind, str]) -> dict[str, Any]:
    return {name: percentiles(found.get((step, group, kind))) for kind, name in kinds.items()}


def _note(listed: int, groups: int) -> str:
    if groups <= listed:
        return ""
    return f"{listed:,} of {groups:,} groups, those with the most messages. Raise `limit`, or filter."
