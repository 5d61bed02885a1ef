"""Running sums of charges over the quarters of an hour of a day, as SQL. Pure.

Where a month's volume reaches a border of two prices, they tell in which quarter that is, and what each number, client,
template and campaign had sent by then: a few rows for each market and category, however many messages the day has.
"""

from collections.abc import Sequence

_PARTS = ("client_id", "template", "campaign")
# Columns of `models.RunningCharge`.
RUNNING = ("market", "category", "whole", "number_id", *_PARTS, "quarters", "volumes")


def running_quarter(at: str, start: str) -> str:
    """The number, from 0, of the quarter of an hour that begins at `at`, in the day that begins at `start`."""
    return f"(extract(epoch FROM {at} - {start}) / 900)::smallint"


def running_sums(keys: Sequence[str], charges: str) -> str:
    """Rows of `keys` and the columns of RUNNING, of each number (`whole`) and of each of its parts.

    `charges` selects `keys`, `quarter`, market, category, number_id, client_id, template, campaign and messages.
    """
    by = ", ".join((*keys, "market", "category", "number_id"))
    parts = ", ".join(_PARTS)
    # A quarter's sum before they run: it may have charges of several buckets.
    return f"""
    SELECT {by}, whole, COALESCE(client_id, 0) AS client_id, COALESCE(template, '') AS template,
      COALESCE(campaign, '') AS campaign, array_agg(quarter ORDER BY quarter) AS quarters,
      array_agg(volume ORDER BY quarter) AS volumes
    FROM (
      SELECT {by}, {parts}, whole, quarter,
        (sum(messages) OVER (PARTITION BY {by}, whole, {parts} ORDER BY quarter))::int AS volume
      FROM (
        SELECT {by}, {parts}, quarter, GROUPING(client_id) > 0 AS whole, sum(messages) AS messages FROM ({charges}) AS c
        GROUP BY GROUPING SETS (({by}, {parts}, quarter), ({by}, quarter))
      ) AS of_quarter
    ) AS so_far
    GROUP BY {by}, whole, {parts}"""  # noqa: S608 - names of columns
