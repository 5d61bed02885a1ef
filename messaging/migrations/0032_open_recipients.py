from django.db import migrations

# Counts recipients whom a portfolio messages outside of a customer service window, each given once, under the lock of
# the portfolio's row. Returns the limit (NULL: none) and how many recipients count then.
#
# A function, because the server keeps the plans of its statements: to plan one statement for all costs more than to
# count one recipient. Its one value makes it an expression of another statement, which costs no round trip. Each
# statement names one row by its key, so that no kept plan depends on how many there are; while the tables are small,
# the planner would else keep one that reads all of a table that grows.
#
# The version before calls messaging_count_openings, which does the same and stays until no process of it runs.
OPEN_RECIPIENTS = """
CREATE OR REPLACE FUNCTION messaging_open_recipients(of_portfolio bigint, peers text[], ids uuid[]) RETURNS integer[]
LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
  start timestamptz;
  users integer;
  total integer;
  before timestamptz;
  this_minute timestamptz := date_trunc('minute', statement_timestamp());
  fresh integer := 0;
  moved integer := 0;
BEGIN
  SELECT counted_from, users_a_day, opened INTO start, users, total
  FROM messaging_portfolio WHERE id = of_portfolio FOR NO KEY UPDATE;
  FOR i IN 1 .. cardinality(peers) LOOP
    INSERT INTO messaging_openedrecipient AS o (portfolio_id, peer, opened_at, message_id)
    VALUES (of_portfolio, peers[i], statement_timestamp(), ids[i])
    ON CONFLICT (portfolio_id, peer) DO UPDATE SET opened_at = excluded.opened_at, message_id = CASE
      WHEN o.opened_at < start OR o.message_id = excluded.message_id THEN excluded.message_id END
    RETURNING old.opened_at INTO before;
    -- NULL: there was no row, or housekeeping has just deleted it.
    IF before IS NULL OR before < start THEN
      fresh := fresh + 1;
    ELSIF date_trunc('minute', before) <> this_minute THEN
      UPDATE messaging_openedcount SET recipients = recipients - 1
      WHERE portfolio_id = of_portfolio AND minute = date_trunc('minute', before);
      moved := moved + 1;
    END IF;
  END LOOP;
  IF fresh + moved > 0 THEN
    INSERT INTO messaging_openedcount AS c (portfolio_id, minute, recipients)
    VALUES (of_portfolio, this_minute, fresh + moved)
    ON CONFLICT (portfolio_id, minute) DO UPDATE SET recipients = c.recipients + excluded.recipients;
  END IF;
  IF fresh > 0 THEN
    UPDATE messaging_portfolio SET opened = total + fresh WHERE id = of_portfolio;
  END IF;
  RETURN ARRAY[users, total + fresh];
END
$$
"""
DROP = "DROP FUNCTION messaging_open_recipients(bigint, text[], uuid[])"


class Migration(migrations.Migration):
    """The count of recipients against a messaging limit as an expression of the statement that releases messages."""

    dependencies = [("messaging", "0031_duplicate_found_at")]

    operations = [migrations.RunSQL(OPEN_RECIPIENTS, DROP)]
