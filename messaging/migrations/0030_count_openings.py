from django.db import migrations

# Counts recipients whom a portfolio messages outside of a customer service window, each given once, under the lock of
# the portfolio's row. Returns the limit (NULL: none) and how many recipients count then.
#
# A function, because the server keeps the plans of its statements: to plan one statement for all costs more than to
# count one recipient. Each statement names one row by its key, so that no kept plan depends on how many there are;
# while the tables are small, the planner would else keep one that reads all of a table that grows.
COUNT_OPENINGS = """
CREATE OR REPLACE FUNCTION messaging_count_openings(
  of_portfolio bigint, peers text[], ids uuid[], OUT users_a_day integer, OUT opened integer)
LANGUAGE plpgsql SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  start timestamptz;
  before timestamptz;
  this_minute timestamptz := date_trunc('minute', statement_timestamp());
  fresh integer := 0;
  moved integer := 0;
BEGIN
  SELECT counted_from INTO start FROM messaging_portfolio WHERE id = of_portfolio FOR NO KEY UPDATE;
  FOR i IN 1 .. cardinality(peers) LOOP
    INSERT INTO messaging_openedrecipient (portfolio_id, peer, opened_at, message_id)
    VALUES (of_portfolio, peers[i], statement_timestamp(), ids[i]) ON CONFLICT (portfolio_id, peer) DO NOTHING;
    IF FOUND THEN
      fresh := fresh + 1;
      CONTINUE;
    END IF;
    -- Rows that count change under the portfolio's lock alone; one that does not may be deleted meanwhile.
    SELECT opened_at INTO before FROM messaging_openedrecipient WHERE portfolio_id = of_portfolio AND peer = peers[i];
    INSERT INTO messaging_openedrecipient AS o (portfolio_id, peer, opened_at, message_id)
    VALUES (of_portfolio, peers[i], statement_timestamp(), ids[i])
    ON CONFLICT (portfolio_id, peer) DO UPDATE SET opened_at = excluded.opened_at, message_id = CASE
      WHEN o.opened_at < start OR o.message_id = excluded.message_id THEN excluded.message_id END;
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
  UPDATE messaging_portfolio p SET opened = p.opened + fresh WHERE p.id = of_portfolio
  RETURNING p.users_a_day, p.opened INTO users_a_day, opened;
END
$$
"""
DROP = "DROP FUNCTION messaging_count_openings(bigint, text[], uuid[])"


class Migration(migrations.Migration):
    """The count of recipients against a messaging limit, with plans that the server keeps."""

    dependencies = [("messaging", "0029_limit_holds_by_client")]

    operations = [migrations.RunSQL(COUNT_OPENINGS, DROP)]
