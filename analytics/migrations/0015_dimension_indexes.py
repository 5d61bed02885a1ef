"""Questions with a template or a campaign find its dimensions by index."""

from django.db import migrations, models

from waproject.resumable_migrations import AddIndex


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("analytics", "0014_plain_help_texts")]

    operations = [
        AddIndex(
            "dimensions",
            models.Index(fields=["template"], condition=~models.Q(template=""), name="dimensions_template"),
        ),
        AddIndex(
            "dimensions",
            models.Index(fields=["campaign"], condition=~models.Q(campaign=""), name="dimensions_campaign"),
        ),
    ]
