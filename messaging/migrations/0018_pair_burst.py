from django.db import migrations, models


class Migration(migrations.Migration):
    """The pair limit as Meta describes it: a burst on credit, which is paid back before the next message."""

    dependencies = [("messaging", "0017_message_call_at")]

    operations = [
        migrations.AddField("pairpace", "burst_at", models.DateTimeField(null=True)),
        migrations.AddField("pairpace", "credit", models.FloatField(default=44.0, db_default=44.0)),
    ]
