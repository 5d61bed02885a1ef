"""The SQL statement of costs: sums of charges, priced. Pure.

    piece ─▶ charge ─▶ unit ─▶ together: sums by all groups asked for and by what prices depend on
      ─▶ counted: the same by each set of groups ─▶ priced ─▶ figures

Charges are many, what a price depends on is little: ninety days of ten million messages are priced in some hundred
rows. Prices by volume also depend on what came before in the month: `volumes` makes their units.
"""

from collections.abc import Sequence

from analytics.costs.volumes import by_volume as units_by_volume

# What a figure depends on besides its group; a price has a number, NULL where there is none.
_BY = ("step", "price_type", "price_no")

# A segment before the first step has the step 0: it counts for volumes only.
_PIECES = """
account AS (
  SELECT * FROM unnest(%(numbers)s::bigint[], %(portfolios)s::text[], %(zones)s::text[])
    AS a(number_id, portfolio, zone)
), price AS MATERIALIZED (
  SELECT * FROM unnest(%(markets)s::text[], %(categories)s::text[], %(since)s::date[], %(until)s::date[],
    %(tier_from)s::bigint[], %(tier_to)s::bigint[], %(prices)s::numeric[], %(cards)s::bigint[]) WITH ORDINALITY
    AS p(market, category, since, until, tier_from, tier_to, price, card, price_no)
), piece AS MATERIALIZED (
  SELECT s.*, EXISTS (
    SELECT FROM analytics_day d WHERE d.start = s.low AND d.minutes = s.minutes AND d.dirty_since IS NULL) AS clean
  FROM unnest(%(segment_steps)s::int[], %(segment_since)s::timestamptz[], %(segment_lows)s::timestamptz[],
    %(segment_highs)s::timestamptz[], %(segment_minutes)s::int[]) AS s(step, since, low, high, minutes)
)"""
_COLUMNS = "c.number_id, c.client_id, c.template, c.campaign, c.market, c.category, c.price_type, c.messages"
# OFFSET 0 has the planner read each piece by the index, whatever it thinks of their number.
_CHARGES = f"""
charge AS (
  SELECT p.step, p.since, p.low, {_COLUMNS}
  FROM piece p CROSS JOIN LATERAL (
    SELECT * FROM analytics_daycharge c WHERE c.start = p.low AND c.minutes = p.minutes OFFSET 0) c
  WHERE p.clean
  UNION ALL
  SELECT p.step, p.since, p.low, {_COLUMNS}
  FROM piece p CROSS JOIN LATERAL (
    SELECT * FROM analytics_charge c WHERE c.at >= p.low AND c.at < p.high OFFSET 0) c
  WHERE NOT p.clean
)"""  # noqa: S608 - names of columns
# `since` is the beginning of a segment, which lies within one day and month of prices.
_FLAT = """
pooled AS MATERIALIZED (
  SELECT c.step, c.since, {columns}, sum(c.messages) AS messages FROM charge c WHERE {filters}
  GROUP BY c.step, c.since, {columns}
), unit AS (
  SELECT {columns}, c.step, c.messages, p.price_no
  FROM (SELECT c.*, (c.since AT TIME ZONE a.zone)::date AS day FROM pooled c JOIN account a USING (number_id)) c
    LEFT JOIN price p ON c.price_type = 'regular' AND p.market = c.market AND p.category = c.category
      AND c.day >= p.since AND c.day < p.until
)"""
# Materialized, or its rows would be sorted for the sets below, of which there are a hundredth.
_PRICED = """
together AS MATERIALIZED (
  SELECT {by}, {extra}sum(messages) AS messages FROM unit c WHERE c.step > 0 AND {filters} GROUP BY {by}{by_extra}
), counted AS (
  SELECT {mask} AS mask, {by}, {extra}sum(messages) AS messages FROM together GROUP BY GROUPING SETS ({sets})
), priced AS MATERIALIZED (
  SELECT c.*, p.price, p.card FROM counted c LEFT JOIN price p USING (price_no)
)"""
_FIGURES = """
SELECT {n} AS n, step, jsonb_build_array({values}) AS values, sum(messages),
  COALESCE(sum(messages) FILTER (WHERE card IS NOT NULL), 0),
  COALESCE(sum(messages) FILTER (WHERE price_type = ANY(%(free)s)), 0), COALESCE(sum(messages * price), 0),
  COALESCE(array_agg(DISTINCT card) FILTER (WHERE card IS NOT NULL), '{{}}')
FROM priced WHERE mask = {mask} GROUP BY step{group_by}"""


def statement(sets: Sequence[Sequence[str]], filters: Sequence[str], *, by_volume: bool) -> str:
    """Rows of (number of the set, step, values of its columns, messages, charged, free, cost, cards), in this order.

    `filters` are columns whose values are in the parameter `only_<column>`. All columns must be known ones.
    """
    extra = sorted({name for one in sets for name in one} - set(_BY))
    own = [tuple(name for name in extra if name in one) for one in sets]
    # As `grouping()` has it: a bit that is set says that the sum is not by that column; the last one has the lowest.
    masks = [sum(1 << n for n, name in enumerate(reversed(extra)) if name not in names) for names in own]
    only = " AND ".join(("true", *(f"c.{name} = ANY(%(only_{name})s)" for name in filters)))
    priced = _PRICED.format(
        mask=f"grouping({', '.join(extra)})" if extra else "0",
        by=", ".join(_BY),
        extra="".join(f"{name}, " for name in extra),
        by_extra="".join(f", {name}" for name in extra),
        filters=only,
        sets=", ".join(f"({', '.join((*_BY, *names))})" for names in dict.fromkeys(own)),
    )
    figures = [
        _FIGURES.format(n=n, mask=mask, values=", ".join(one), group_by="".join(f", {name}" for name in one))
        for n, (one, mask) in enumerate(zip(sets, masks, strict=True))
    ]
    needed = sorted({*extra, *filters, "number_id", "market", "category", "price_type"})
    flat = _FLAT.format(columns=", ".join(f"c.{name}" for name in needed), filters=only)
    parts = ",".join((_PIECES, _CHARGES, units_by_volume(needed) if by_volume else flat, priced))
    return f"WITH {parts} {' UNION ALL '.join(figures)} ORDER BY n, step, values"
