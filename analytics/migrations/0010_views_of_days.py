"""Days have two views more: days that were summed up before are summed up again."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("analytics", "0009_day_charges")]

    operations = [
        migrations.RunSQL(
            "UPDATE analytics_day SET dirty_since = COALESCE(dirty_since, now()), due_at = now()",
            "DELETE FROM analytics_rollup WHERE view > 6",
        )
    ]
