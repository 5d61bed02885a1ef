from importlib import import_module

from django.db import migrations

_before = import_module("messaging.migrations.0030_count_openings")


class Migration(migrations.Migration):
    """No process calls messaging_count_openings any more: messaging_open_recipients has replaced it in 0032."""

    dependencies = [("messaging", "0033_unknown_updates_by_time")]

    operations = [migrations.RunSQL(_before.DROP, _before.COUNT_OPENINGS)]
