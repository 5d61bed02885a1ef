"""When the sweep of the trail last moved, for the alert on one that stands still."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("analytics", "0015_dimension_indexes")]

    operations = [
        migrations.AddField(
            "cursor", "moved_at", models.DateTimeField(null=True, help_text="When position last rose.")
        ),
    ]
