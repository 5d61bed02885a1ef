"""The last error of a subscription's endpoint, for its page."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("messaging", "0010_conversations")]

    operations = [
        migrations.AddField(
            model_name="subscription",
            name="last_error",
            field=models.CharField(blank=True, default="", editable=False, max_length=300, db_default=""),
        ),
        migrations.AddField(
            model_name="subscription",
            name="last_error_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
    ]
