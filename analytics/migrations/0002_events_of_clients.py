"""Events have the client's id, a contact and a reference; the copies of messaging's trail go."""

from django.db import migrations, models
from django.db.models.functions import Now
import django.utils.timezone

BATCH = 10_000
FIRST = "00000000-0000-0000-0000-000000000000"


def delete_copies(apps, schema_editor):
    """In batches, each committed: a table of millions is not locked, and a migration that is stopped goes on."""
    last = FIRST
    with schema_editor.connection.cursor() as cursor:
        while True:
            cursor.execute("SELECT max(id::text) FROM (SELECT id FROM analytics_event WHERE id > %s ORDER BY id LIMIT %s) e", [last, BATCH])
            upto = cursor.fetchone()[0]
            if upto is None:
                return
            cursor.execute("DELETE FROM analytics_event WHERE id > %s AND id <= %s AND source = 'pipeline'", [last, upto])
            last = upto


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("analytics", "0001_events")]

    operations = [
        migrations.AddField("event", "event_id", models.CharField(blank=True, db_default="", help_text="The client's own.", max_length=200)),
        migrations.AddField("event", "contact", models.CharField(blank=True, db_default="", help_text="The person: digits of a number, or a user id.", max_length=140)),
        migrations.AddField("event", "reference", models.CharField(blank=True, db_default="", max_length=255)),
        migrations.AlterField("event", "stored_at", models.DateTimeField(db_default=Now(), default=django.utils.timezone.now)),
        migrations.RunPython(delete_copies, migrations.RunPython.noop, elidable=True),
    ]
