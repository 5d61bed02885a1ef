"""A rename that leaves the column as it is, so that the version before runs beside this one."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("messaging", "0030_count_openings")]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RemoveIndex("message", "message_doubled"),
                migrations.RenameField("message", "doubled_at", "duplicate_found_at"),
                migrations.AlterField(
                    "message",
                    "duplicate_found_at",
                    models.DateTimeField(blank=True, db_column="doubled_at", null=True),
                ),
                migrations.AddIndex(
                    "message",
                    models.Index(
                        condition=Q(duplicate_found_at__isnull=False),
                        fields=["duplicate_found_at"],
                        name="message_doubled",
                    ),
                ),
            ]
        ),
    ]
