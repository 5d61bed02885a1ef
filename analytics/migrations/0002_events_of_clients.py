"""Events have the client's id, a contact and a reference; the copies of messaging's trail go."""

from django.db import migrations, models
from django.db.models.functions import Now
import django.utils.timezone

from waproject.resumable_migrations import AddField, move_rows

BATCH = 10_000
FIRST = "00000000-0000-0000-0000-000000000000"


# In the order of ids from where the last batch ended, so that no batch looks at the events of clients again.
DELETE = """
WITH gone AS (DELETE FROM analytics_event WHERE id IN (
  SELECT id FROM analytics_event WHERE id > %s AND source = 'pipeline' ORDER BY id LIMIT %s) RETURNING id)
SELECT count(*), max(id::text) FROM gone
"""


def delete_copies(apps, schema_editor):
    """In batches, each committed: a table of millions is not locked, and a migration that is stopped goes on."""
    last = FIRST

    def count():
        cursor.execute("SELECT count(*) FROM analytics_event WHERE source = 'pipeline'")
        return cursor.fetchone()[0]

    def delete():
        nonlocal last
        cursor.execute(DELETE, [last, BATCH])
        deleted, upto = cursor.fetchone()
        last = upto or FIRST
        return deleted

    with schema_editor.connection.cursor() as cursor:
        move_rows("copies of the trail", count, delete)


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("analytics", "0001_events")]

    operations = [
        AddField("event", "event_id", models.CharField(blank=True, db_default="", help_text="The client's own.", max_length=200)),
        AddField("event", "contact", models.CharField(blank=True, db_default="", help_text="The person: digits of a number, or a user id.", max_length=140)),
        AddField("event", "reference", models.CharField(blank=True, db_default="", max_length=255)),
        migrations.AlterField("event", "stored_at", models.DateTimeField(db_default=Now(), default=django.utils.timezone.now)),
        migrations.RunPython(delete_copies, migrations.RunPython.noop, elidable=True),
    ]
