"""The part of the costs' statement for prices by volume: it makes `unit` of `charge`, `piece` and `price`. Pure.

Charges are `pooled` first. What stays within the first tier all month, as most does, is priced like that. Where the
volume has `crossed` a border, a `cell` is a piece, portfolio, market and category; where it lies in one tier, so do its
charges. Where a `border` of two tiers lies within, running sums tell in which quarter of an hour it is `reached`, and
what each number, client, template and campaign had sent by then; only that quarter's messages are taken in their order.
So a border costs the few rows of its cell, however many charges these sum up.
"""

from collections.abc import Sequence

from analytics.rollups import RUNNING, running_quarter, running_sums

_IN_FORCE = "p.market = c.market AND p.category = c.category AND c.day >= p.since AND c.day < p.until"
_AT_PRICE = "c.before >= p.tier_from AND (p.tier_to IS NULL OR c.before < p.tier_to)"

# Days and months are those of the account's zone. A portfolio may have accounts in several: then a piece may lie in two
# days, and in two cells. A `pool` is a portfolio's month in a market and category, if its volume reaches beyond the
# first tier; it has a number, since joins of its texts would take as long as all else.
_CELLS = f"""
tiered AS MATERIALIZED (
  SELECT market, category, 'regular' AS price_type, min(tier_to) AS border FROM price
  WHERE tier_to IS NOT NULL GROUP BY market, category
), place AS MATERIALIZED (
  SELECT s.since, a.*, (s.since AT TIME ZONE a.zone)::date AS day,
    date_trunc('month', s.since AT TIME ZONE a.zone) AS month
  FROM (SELECT DISTINCT since FROM piece) s CROSS JOIN account a
), pooled AS MATERIALIZED (
  SELECT c.step, c.since, {{columns}}, sum(c.messages) AS messages FROM charge c GROUP BY c.step, c.since, {{columns}}
), pool AS MATERIALIZED (
  SELECT row_number() OVER () AS pool, portfolio, month, market, category
  FROM pooled JOIN tiered USING (market, category, price_type) JOIN place USING (since, number_id)
  GROUP BY portfolio, month, market, category, border HAVING sum(messages) > border
), member AS MATERIALIZED (
  SELECT pool, since, number_id, day, market, category, 'regular' AS price_type
  FROM pool JOIN place USING (portfolio, month)
), billed AS MATERIALIZED (
  SELECT c.step, c.since, c.low, {{columns}}, c.messages, m.pool, m.day
  FROM charge c JOIN member m USING (since, number_id, market, category, price_type)
), cell AS MATERIALIZED (
  SELECT c.*, market, category FROM (
    SELECT row_number() OVER () AS cell, low, pool, sum(messages) AS messages, min(day) AS first_day,
      max(day) AS last_day,
      sum(sum(messages)) OVER (PARTITION BY pool ORDER BY low)::bigint - sum(messages) AS before
    FROM billed GROUP BY low, pool) c JOIN pool USING (pool)
), border AS MATERIALIZED (
  SELECT row_number() OVER () AS border, b.* FROM (
    SELECT DISTINCT c.cell, p.tier_from - c.before AS volume
    FROM cell c JOIN price p ON p.market = c.market AND p.category = c.category AND p.since <= c.last_day
      AND p.until > c.first_day AND p.tier_from > c.before AND p.tier_from < c.before + c.messages) b
), parted AS MATERIALIZED (
  SELECT * FROM cell WHERE cell IN (SELECT cell FROM border)
), tier AS MATERIALIZED (
  SELECT c.low, c.pool, c.day, p.price_no
  FROM (SELECT cell.*, first_day + generate_series(0, last_day - first_day) AS day FROM cell
    WHERE cell NOT IN (SELECT cell FROM border)) c
    LEFT JOIN price p ON {_IN_FORCE} AND {_AT_PRICE}
)"""  # noqa: S608 - names of columns
_CHARGES_OF_PARTED = f"""
SELECT p.step, p.since, p.low, {running_quarter("c.at", "p.low")} AS quarter, c.market, c.category, c.number_id,
  c.client_id, c.template, c.campaign, c.messages
FROM (SELECT DISTINCT low, market, category FROM parted WHERE cell NOT IN (SELECT cell FROM sound)) d
  JOIN piece p USING (low)
  CROSS JOIN LATERAL (SELECT * FROM analytics_charge c WHERE c.market = d.market AND c.category = d.category
    AND c.price_type = 'regular' AND c.at >= p.low AND c.at < p.high OFFSET 0) c
"""  # noqa: S608 - names of columns
_RUNNING_COLUMNS = ", ".join(f"r.{name}" for name in RUNNING)
# Each OFFSET 0 keeps its rows from being joined with others before they are read, day by day, from the index.
_SUMMED_UP = f"""
SELECT p.step, p.since, p.low, {_RUNNING_COLUMNS}
FROM (SELECT DISTINCT low, market, category FROM parted) d JOIN piece p USING (low)
  CROSS JOIN LATERAL (SELECT * FROM analytics_runningcharge r WHERE r.start = p.low AND r.minutes = p.minutes
    AND r.market = d.market AND r.category = d.category OFFSET 0) r
WHERE p.clean OFFSET 0
"""  # noqa: S608 - names of columns
_MADE_NOW = f"""
SELECT step, since, low, {_RUNNING_COLUMNS} FROM ({running_sums(("step", "since", "low"), _CHARGES_OF_PARTED)}) AS r
"""  # noqa: S608 - names of columns
# Two looks at the running sums find a quarter: a block of twelve, then one of its quarters. A block begins one quarter
# early, with what had been sent before it. The end of a cell stands as a border too, which no quarter reaches.
_BLOCK = 12
_SUM_UNTIL = "sum(COALESCE(r.volumes[width_bucket({quarter}::smallint, r.quarters)], 0))"
_OF_PARTED = """
JOIN member m USING (since, number_id, market, category) JOIN parted d USING (low, pool, market, category)
"""
# Running sums that do not add up to their cell are not used: the version before sums up days without them.
_BORDERS = f"""
summed AS MATERIALIZED (
  SELECT d.cell, d.before, r.*, m.day FROM ({_SUMMED_UP}) r {_OF_PARTED}
), sound AS MATERIALIZED (
  SELECT cell FROM summed JOIN parted d USING (cell) WHERE whole GROUP BY cell, d.messages
  HAVING sum(volumes[cardinality(volumes)]) = d.messages
), running AS MATERIALIZED (
  SELECT row_number() OVER () AS run, r.* FROM (
    SELECT * FROM summed WHERE cell IN (SELECT cell FROM sound)
    UNION ALL
    SELECT d.cell, d.before, r.*, m.day FROM ({_MADE_NOW}) r {_OF_PARTED}
    WHERE d.cell NOT IN (SELECT cell FROM sound)
  ) r
), block AS MATERIALIZED (
  SELECT border, cell, volume, {_BLOCK} * count(*) FILTER (WHERE so_far <= volume) AS first FROM (
    SELECT b.*, {_SUM_UNTIL.format(quarter="q")} AS so_far
    FROM border b JOIN running r USING (cell) CROSS JOIN generate_series({_BLOCK} - 1, 108, {_BLOCK}) AS q
    WHERE r.whole GROUP BY b.border, b.cell, b.volume, q) AS blocks
  GROUP BY border, cell, volume
), reached AS MATERIALIZED (
  SELECT cell, volume, first - 1 + count(*) FILTER (WHERE so_far <= volume) AS quarter,
    volume - max(so_far) FILTER (WHERE so_far <= volume) AS rest
  FROM (
    SELECT b.*, {_SUM_UNTIL.format(quarter="q")} AS so_far
    FROM block b JOIN running r USING (cell) CROSS JOIN LATERAL generate_series(first - 1, first + {_BLOCK} - 1) AS q
    WHERE r.whole GROUP BY b.border, b.cell, b.volume, b.first, q) AS quarters
  GROUP BY border, cell, volume, first
  UNION ALL SELECT cell, messages, 32767, 0 FROM parted
), share AS (
  SELECT r.*, COALESCE(volumes[place], 0) AS until,
    CASE WHEN quarters[place] = quarter THEN volumes[place] - COALESCE(volumes[place - 1], 0) ELSE 0 END AS here
  FROM (
    SELECT r.*, b.volume, b.quarter, b.rest, width_bucket(b.quarter::smallint, r.quarters) AS place
    FROM running r JOIN reached b USING (cell) WHERE NOT r.whole
  ) r
), below AS (
  SELECT s.*, until - here + LEAST(here, GREATEST(0, rest - (
    sum(here) OVER (PARTITION BY cell, volume ORDER BY number_id, client_id, template, campaign) - here))) AS messages
  FROM share s
), part AS (
  SELECT step, day, number_id, client_id, template, campaign, market, category, 'regular' AS price_type,
    before + COALESCE(lag(volume) OVER of_run, 0) AS before,
    messages - COALESCE(lag(messages) OVER of_run, 0) AS messages
  FROM below WINDOW of_run AS (PARTITION BY run ORDER BY volume)
)"""  # noqa: S608 - names of columns
_UNITS = f"""
unit AS (
  SELECT {{columns}}, c.step, c.messages, p.price_no
  FROM (SELECT c.*, a.day FROM pooled c JOIN place a USING (since, number_id)
      LEFT JOIN member m USING (since, number_id, market, category, price_type)
    WHERE m.pool IS NULL) c
    LEFT JOIN price p ON {_IN_FORCE} AND p.tier_from = 0 AND c.price_type = 'regular'
  UNION ALL
  SELECT {{columns}}, c.step, c.messages, t.price_no FROM billed c JOIN tier t USING (low, pool, day)
  UNION ALL
  SELECT {{columns}}, c.step, c.messages, p.price_no FROM part c LEFT JOIN price p ON {_IN_FORCE} AND {_AT_PRICE}
  WHERE c.messages > 0
)"""  # noqa: S608 - names of columns


def by_volume(columns: Sequence[str]) -> str:
    """Units with these columns, which are number_id, market, category, price_type and others of charges."""
    names = ", ".join(f"c.{name}" for name in columns)
    return ",".join((_CELLS.format(columns=names), _BORDERS, _UNITS.format(columns=names)))
