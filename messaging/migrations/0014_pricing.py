"""Meta's pricing of a message, and of each status in its trail."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("messaging", "0013_login_throttle")]

    operations = [
        migrations.AddField("message", "priced_by", models.CharField(blank=True, max_length=10, null=True)),
        migrations.AddField("message", "billable", models.BooleanField(blank=True, null=True)),
        migrations.AddField("message", "pricing_model", models.CharField(blank=True, max_length=20, null=True)),
        migrations.AddField("message", "pricing_type", models.CharField(blank=True, max_length=40, null=True)),
        migrations.AddField("message", "pricing_category", models.CharField(blank=True, max_length=40, null=True)),
        migrations.AddField("messageevent", "billable", models.BooleanField(blank=True, null=True)),
        migrations.AddField("messageevent", "pricing_model", models.CharField(blank=True, max_length=20, null=True)),
        migrations.AddField("messageevent", "pricing_type", models.CharField(blank=True, max_length=40, null=True)),
        migrations.AddField("messageevent", "pricing_category", models.CharField(blank=True, max_length=40, null=True)),
    ]
