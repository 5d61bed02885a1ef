"""Storage parameters of the message table, which is updated five times for each insert.

A page keeps a fifth of its space free, so that an update finds room beside its row and touches no index (HOT); and
vacuum comes by number of dead rows, not by a share of a table that grows to millions.
"""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("messaging", "0001_messages_and_clients")]

    operations = [
        migrations.RunSQL(
            "ALTER TABLE messaging_message SET "
            "(fillfactor = 80, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000)",
            "ALTER TABLE messaging_message RESET "
            "(fillfactor, autovacuum_vacuum_scale_factor, autovacuum_vacuum_threshold)",
        )
    ]
