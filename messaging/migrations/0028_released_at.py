from django.db import migrations, models


class Migration(migrations.Migration):
    """When a number was resumed and a template approved: a refusal of an earlier call stops neither."""

    dependencies = [("messaging", "0027_templates")]

    operations = [
        migrations.AddField(
            "businessnumber", "resumed_at", models.DateTimeField(blank=True, editable=False, null=True)
        ),
        migrations.AddField("template", "approved_at", models.DateTimeField(blank=True, null=True)),
    ]
