"""A data migration that is killed while messages go on."""

import time

from chaos.scenario import Injected
from chaos.sending.trial import Site
from testkit.processes import Process
from testkit.waiting import NotReady, eventually, wait_until

FIRST_S = 1.5
KILLS = 3
# To Mexican numbers in the spelling of before the migration, which moves 5,000 rows in a transaction.
ROWS = 60_000
MOVED_S = 30.0
END_S = 120.0
# Copies of one sent message, to recipients of their own.
FILL = """
INSERT INTO messaging_message SELECT (jsonb_populate_record(message, jsonb_build_object(
  'id', gen_random_uuid(), 'peer', (5215500000000 + n)::text, 'wamid', 'wamid.old.' || n))).*
FROM messaging_message AS message, generate_series(1, %s) AS n
WHERE message.id = (SELECT id FROM messaging_message WHERE outcome_at IS NOT NULL LIMIT 1)
"""
OLD = "SELECT count(*) FROM messaging_message WHERE peer >= '521' AND peer < '522'"
MOVED = "SELECT count(*) FROM messaging_message WHERE peer >= '525500000000' AND peer < '525600000000'"
SENT = "SELECT count(*) FROM messaging_message WHERE outcome_at IS NOT NULL"
MIGRATION = (
    "import importlib; importlib.import_module('messaging.migrations.0012_canonical_numbers')"
    ".canonical_messages(None, None)"
)


def kill_migration(site: Site) -> Injected:
    """kill -9 of the migration that gives phone numbers one form, three times in the middle; it goes on each time."""
    time.sleep(FIRST_S)
    wait_until(lambda: site.pipeline.number(SENT) > 0, "a message was sent", MOVED_S)
    site.pipeline.execute(FILL, [ROWS])
    migration = site.pipeline.command("migration", "shell", "-c", MIGRATION)
    try:
        hits = sum(_killed_in_the_middle(site, migration) for _ in range(KILLS))
        migration.start()
        wait_until(lambda: not migration.is_alive(), "the migration's end", END_S)
    finally:
        migration.kill()
    if moved := ROWS - site.pipeline.number(MOVED):
        raise NotReady(f"{moved} of {ROWS} rows were not moved")
    return Injected(hits, f"{ROWS:,} rows moved, {hits} kills in the middle")


def _killed_in_the_middle(site: Site, migration: Process) -> bool:
    """Start it, and kill it when some rows have moved; whether it had moved some, and not all."""
    left = site.pipeline.number(OLD)
    migration.start()
    moves = eventually(lambda: site.pipeline.number(OLD) < left or not migration.is_alive(), MOVED_S, 0.005)
    site.harm(migration.kill)
    if migration.is_alive():
        wait_until(lambda: not migration.is_alive(), "the migration's end", END_S)
        return False
    return moves and 0 < site.pipeline.number(OLD) < left
