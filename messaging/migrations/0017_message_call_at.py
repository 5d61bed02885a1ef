from django.db import migrations, models


class Migration(migrations.Migration):
    """The time at which a released message may be sent: calls of a number are evenly spaced."""

    dependencies = [("messaging", "0016_help_texts")]

    operations = [
        migrations.AddField("message", "call_at", models.DateTimeField(null=True, blank=True, editable=False)),
    ]
