"""Renames that leave tables and columns as they are, so that the version before runs beside this one."""

from django.db import migrations, models
from django.db.models import Q
from django.utils import timezone


class Migration(migrations.Migration):
    dependencies = [("monitoring", "0005_setup_findings")]

    operations = [
        # With an unchanged table this alters the content type alone, so that permissions stay granted.
        migrations.AlterModelTable("move", "monitoring_move"),
        migrations.RenameModel("Move", "RedriveJob"),
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RenameField("redrivejob", "asked_by", "requested_by"),
                migrations.AlterField(
                    "redrivejob", "requested_by", models.CharField(db_column="asked_by", max_length=150)
                ),
                migrations.RenameField("redrivejob", "asked_at", "requested_at"),
                migrations.AlterField(
                    "redrivejob", "requested_at", models.DateTimeField(db_column="asked_at", default=timezone.now)
                ),
                migrations.RenameField("redrivejob", "stop_asked_at", "stop_requested_at"),
                migrations.AlterField(
                    "redrivejob", "stop_requested_at", models.DateTimeField(db_column="stop_asked_at", null=True)
                ),
                migrations.RenameField("taskfailure", "words", "message"),
                migrations.AlterField(
                    "taskfailure", "message", models.CharField(blank=True, db_column="words", max_length=300)
                ),
                migrations.RemoveIndex("notice", "notice_to_tell"),
                migrations.RenameField("notice", "told_at", "sent_at"),
                migrations.AlterField(
                    "notice", "sent_at", models.DateTimeField(blank=True, db_column="told_at", null=True)
                ),
                migrations.AddIndex(
                    "notice",
                    models.Index(condition=Q(sent_at__isnull=True), fields=["next_try_at"], name="notice_to_tell"),
                ),
            ]
        ),
    ]
