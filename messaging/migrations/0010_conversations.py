"""Conversations in Meta's order: the indexes by peer and by contact hold the time. Made while messages go on."""

import django.db.models.deletion
from django.db import migrations, models

from waproject.resumable_migrations import AddIndex, RemoveIndex


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("messaging", "0009_operators")]

    operations = [
        migrations.CreateModel(
            name="Conversation",
            fields=[],
            options={
                "permissions": [("reply_conversation", "Can reply in conversations")],
                "proxy": True,
                "default_permissions": ("view",),
                "indexes": [],
                "constraints": [],
            },
            bases=("messaging.message",),
        ),
        migrations.AlterModelOptions(
            name="message",
            options={"ordering": ["-id"], "permissions": [("export_message", "Can export messages")]},
        ),
        AddIndex(
            model_name="message",
            index=models.Index(fields=["peer", "at", "id"], name="message_talk"),
        ),
        AddIndex(
            model_name="message",
            index=models.Index(
                condition=models.Q(("contact__isnull", False)), fields=["contact", "at", "id"], name="message_contact"
            ),
        ),
        AddIndex(
            model_name="message",
            index=models.Index(
                condition=models.Q(("type__in", ("reaction", "edit", "revoke"))),
                fields=["context_wamid"],
                name="message_about",
            ),
        ),
        RemoveIndex(model_name="message", name="message_peer"),
        migrations.AlterField(
            model_name="message",
            name="contact",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="messages",
                to="messaging.contact",
            ),
        ),
    ]
