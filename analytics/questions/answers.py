"""Answers to questions: rows, and a sentence where there are more than are listed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from analytics.questions.dimensions import DIMENSIONS
from analytics.questions.measures import DURATIONS, add, figures, funnel, merge, percentiles, share
from analytics.questions.question import Question
from analytics.questions.rollup_ranges import days_of
from analytics.questions.sums import NOTHING, Counts, Durations, Group, Histogram, Sums, count, histograms
from analytics.rollups import Kind, request_days
from messaging.whatsapp.error_codes import describe

# Steps times groups.
MAX_ROWS = 10_000
NO_LIMIT = 2**31 - 1
# The number of a step, its beginning, and a group.
Place = tuple[int, datetime, Group]
OUTBOUND = {"direction": "outbound"}
SENDING = (Kind.ACCEPT, Kind.DELIVERY, Kind.READ)


@dataclass(frozen=True, slots=True)
class Answer:
    """`note` says in a sentence what the rows leave out; empty: nothing. `blank`: a row of no group, which names the
    columns where there are no rows."""

    rows: list[dict[str, Any]]
    note: str
    blank: dict[str, Any]


def summary(question: Question) -> Answer:
    """Counts, rates and percentiles of each group, or of all."""
    found = count(question)
    groups = _largest(found.counts) if question.group_by else [()]
    durations = histograms(question, list(DURATIONS), _if_few(groups, found))

    def row(group: Group) -> dict[str, Any]:
        return {
            **_named(question, group),
            **figures(found.counts.get((0, group), NOTHING)),
            "latency": _latency(durations, 0, group, DURATIONS),
        }

    return Answer([row(group) for group in groups], _note(len(groups), found.groups), row(_no_group(question)))


def timeseries(question: Question) -> Answer:
    """The same by step. Of groups those with most messages, so that the answer has at most 10,000 rows."""
    steps = question.steps
    request_days(days_of(steps, question.period.until))
    groups: list[Group] = [()]
    few: Sequence[Group] | None = None
    note = ""
    if question.group_by:
        whole = count(replace(question, granularity=None, limit=min(question.limit, MAX_ROWS // len(steps))))
        groups = _largest(whole.counts)
        few = _if_few(groups, whole)
        note = _note(len(groups), whole.groups)
    found = count(question, groups)
    rows = _steps(question, groups, found, histograms(question, list(DURATIONS), few))
    return Answer(rows, note, _step(question, (0, steps[0], _no_group(question)), found, {}))


def _steps(question: Question, groups: Sequence[Group], found: Sums, durations: Durations) -> list[dict[str, Any]]:
    return [
        _step(question, (n, start, group), found, durations)
        for n, start in enumerate(question.steps)
        for group in groups
    ]


def _step(question: Question, of: Place, found: Sums, durations: Durations) -> dict[str, Any]:
    n, start, group = of
    return {
        "start": question.period.local(start).isoformat(),
        **_named(question, group),
        **figures(found.counts.get((n, group), NOTHING)),
        "latency": _latency(durations, n, group, DURATIONS),
    }


@dataclass(frozen=True, slots=True)
class Overview:
    """The rows of `timeseries`, `summary`, `funnel` and `conversations` without groups."""

    steps: list[dict[str, Any]]
    total: dict[str, Any]
    funnel: list[dict[str, Any]]
    conversations: dict[str, Any]


def overview(question: Question) -> Overview:
    """All of these for two statements: steps add up to the whole, histograms too. Raises BadPeriod."""
    request_days(days_of(question.steps, question.period.until))
    found, durations = count(question), histograms(question, list(DURATIONS))
    total = add(found.counts.values())
    whole: dict[tuple[int, Group, int], Histogram] = {
        (0, (), kind): merge(one for (_, _, of), one in durations.items() if of == kind) for kind in DURATIONS
    }
    return Overview(
        steps=_steps(question, [()], found, durations),
        total={**figures(total), "latency": _latency(whole, 0, (), DURATIONS)},
        funnel=funnel(total),
        conversations=_conversation(total, whole.get((0, (), Kind.RESPONSE))),
    )


def funnels(question: Question) -> Answer:
    """How many outbound messages reached each stage."""
    found = count(_with(question, OUTBOUND))
    groups = _largest(found.counts) if question.group_by else [()]

    def stages(group: Group) -> list[dict[str, Any]]:
        return [{**_named(question, group), **stage} for stage in funnel(found.counts.get((0, group), NOTHING))]

    rows = [row for group in groups for row in stages(group)]
    return Answer(rows, _note(len(groups), found.groups), stages(_no_group(question))[0])


def errors(question: Question) -> Answer:
    """Error codes of failed outbound messages with their meaning; shares are of all that failed, or of the group's."""
    failed = _with(question, {**OUTBOUND, "status": "failed"})
    found = count(replace(failed, group_by=(*question.group_by, DIMENSIONS["error_code"])))
    whole = _of_any_code(failed, found)

    def row(group: Group) -> dict[str, Any]:
        messages, of = found.counts.get((0, group), NOTHING).messages, whole.get(group[:-1], 0)
        return {
            **_named(question, group[:-1]),
            "error_code": group[-1],
            "meaning": meaning(int(group[-1])),
            "messages": messages,
            "share": share(messages, of),
            "of": of,
        }

    rows = [row(group) for group in _largest(found.counts)]
    return Answer(rows, _note(len(rows), found.groups), row((*_no_group(question), 0)))


def _of_any_code(failed: Question, by_code: Sums) -> dict[Group, int]:
    """How many messages of each listed group failed, with codes that are not listed too."""
    whole: dict[Group, int] = {}
    for (_, group), counts in by_code.counts.items():
        whole[group[:-1]] = whole.get(group[:-1], 0) + counts.messages
    if by_code.groups > len(by_code.counts):
        of_all = count(replace(failed, limit=NO_LIMIT), [*whole])
        whole = {group: counts.messages for (_, group), counts in of_all.counts.items()}
    return whole


def meaning(code: int) -> str:
    """An error code in words."""
    return describe(code) if code else "no answer, or no code in it"


def by_dimension(question: Question, name: str) -> Answer:
    """Outbound messages by template or by campaign, with those that have none left out; other groups below."""
    sending, found, groups = _sending(question, name)
    durations = histograms(sending, SENDING, _if_few(groups, found))
    kinds = {kind: DURATIONS[kind] for kind in SENDING}

    def row(group: Group) -> dict[str, Any]:
        return {
            **_named(sending, group),
            **_outbound(found.counts.get((0, group), NOTHING)),
            "latency": _latency(durations, 0, group, kinds),
        }

    return Answer([row(group) for group in groups], _note(len(groups), found.groups), row(_no_group(sending)))


def counts_by(question: Question, name: str) -> list[dict[str, Any]]:
    """The rows of `by_dimension` without latencies, for which histograms would be read."""
    sending, found, groups = _sending(question, name)
    return [{**_named(sending, group), **_outbound(found.counts[0, group])} for group in groups]


def _sending(question: Question, name: str) -> tuple[Question, Sums, list[Group]]:
    others = tuple(one for one in question.group_by if one.name != name)
    sending = replace(_with(question, OUTBOUND), group_by=(DIMENSIONS[name], *others), named=DIMENSIONS[name])
    found = count(sending)
    return sending, found, _largest(found.counts)


def conversations(question: Question) -> Answer:
    """How often users waited for us, how often and how soon we wrote back, and how often they wrote back to us."""
    found = count(question)
    groups = _largest(found.counts) if question.group_by else [()]
    durations = histograms(question, [Kind.RESPONSE], _if_few(groups, found))

    def row(group: Group) -> dict[str, Any]:
        counts, responses = found.counts.get((0, group), NOTHING), durations.get((0, group, Kind.RESPONSE))
        return {**_named(question, group), **_conversation(counts, responses)}

    return Answer([row(group) for group in groups], _note(len(groups), found.groups), row(_no_group(question)))


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


def _with(question: Question, filters: Mapping[str, str | int]) -> Question:
    """The question with these filters added; its own filters win."""
    return replace(question, filters={**filters, **(question.filters or {})})


def _largest(counts: Mapping[tuple[int, Group], Counts]) -> list[Group]:
    return [group for (_, group), _ in sorted(counts.items(), key=lambda one: (-one[1].messages, str(one[0][1])))]


def _if_few(groups: Sequence[Group], found: Sums) -> Sequence[Group] | None:
    """The groups, if they are at most half of all; else None: then it is quicker to read all."""
    return groups if 2 * len(groups) <= found.groups else None


def _no_group(question: Question) -> Group:
    return ("",) * len(question.group_by)


def _named(question: Question, group: Group) -> dict[str, str | int]:
    return {dimension.name: value for dimension, value in zip(question.group_by, group, strict=True)}


def _latency(found: Durations, step: int, group: Group, kinds: Mapping[Kind, str]) -> dict[str, Any]:
    return {name: percentiles(found.get((step, group, kind))) for kind, name in kinds.items()}


def _note(listed: int, groups: int) -> str:
    if groups <= listed:
        return ""
    return f"{listed:,} of {groups:,} groups, those with the most messages. Raise `limit`, or filter."
