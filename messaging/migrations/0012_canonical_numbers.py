"""One form for each phone number: Argentina's contacts, and the messages of three countries, a batch at a time."""

import django.utils.timezone
from django.db import connection, migrations, models

from waproject.resumable_migrations import AddField, CreateModel, move_rows

BATCH = 5000
# As `recipients.canonical` has it. The ranges let the index by peer find the rows.
CANONICAL = r"""
  regexp_replace(regexp_replace(regexp_replace(peer,
    '^55([1-9][0-9])([6-9][0-9]{7})$', '55\19\2'), '^521([0-9]{10})$', '52\1'), '^54([1-3][0-9]{9})$', '549\1')
"""
# Messages on their way stay as they are: two of one person would meet in message_in_flight. A parked one is due again,
# since it waits for its recipient under the old spelling.
OLD = rf"""
(peer >= '521' AND peer < '522' OR peer >= '541' AND peer < '544' OR peer >= '551' AND peer < '56')
  AND peer <> {CANONICAL} AND (released_at IS NULL OR outcome_at IS NOT NULL)
"""
MESSAGES = rf"""
UPDATE messaging_message SET peer = {CANONICAL},
  sent_to = CASE WHEN direction = 'outbound' THEN peer END, hold = NULLIF(hold, 'pair')
WHERE id = ANY(ARRAY(
  SELECT id FROM messaging_message WHERE {OLD} LIMIT %s FOR UPDATE SKIP LOCKED))
"""  # noqa: S608 - constants of this migration


def canonical_messages(apps, schema_editor):
    def count():
        cursor.execute(f"SELECT count(*) FROM messaging_message WHERE {OLD}")  # noqa: S608 - constants
        return cursor.fetchone()[0]

    def move():
        cursor.execute(MESSAGES, [BATCH])
        return cursor.rowcount

    with connection.cursor() as cursor:
        move_rows("messages of three countries", count, move)


def canonical_contacts(apps, schema_editor):
    """Argentina's numbers get their 9; two contacts of one number become one, with the later word on marketing."""
    Contact, Message = apps.get_model("messaging", "Contact"), apps.get_model("messaging", "Message")
    for contact in Contact.objects.filter(phone_key__regex=r"^54[1-3][0-9]{9}$").order_by("pk"):
        key = "549" + contact.phone_key[2:]
        twin = Contact.objects.filter(portfolio=contact.portfolio, phone_key=key).first()
        if twin is None or None not in (twin.user_id, contact.user_id):
            contact.phone_key = key if twin is None else None
            contact.save(update_fields=["phone_key"])
            continue
        user_id = twin.user_id or contact.user_id
        twin.blocked_at = twin.blocked_at or contact.blocked_at
        twin.first_seen_at = min(twin.first_seen_at, contact.first_seen_at)
        if contact.consent_at and (not twin.consent_at or contact.consent_at > twin.consent_at):
            twin.opted_out_at, twin.consent_at = contact.opted_out_at, contact.consent_at
            twin.consent_source = contact.consent_source
        Message.objects.filter(contact_id=contact.pk).update(contact_id=twin.pk)
        contact.delete()
        twin.user_id = user_id
        twin.save()


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("messaging", "0011_subscription_last_error")]

    operations = [
        AddField(
            model_name="message",
            name="sent_to",
            field=models.CharField(
                blank=True, help_text="Outbound: the spelling that WhatsApp is given.", max_length=140, null=True
            ),
        ),
        CreateModel(
            name="WhatsAppId",
            fields=[
                ("phone", models.CharField(max_length=140, primary_key=True, serialize=False)),
                ("wa_id", models.CharField(max_length=140)),
                ("peer", models.CharField(db_index=True, max_length=140)),
                ("learned_at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={"verbose_name": "WhatsApp id"},
        ),
        migrations.RunPython(canonical_contacts, migrations.RunPython.noop, atomic=True),
        migrations.RunPython(canonical_messages, migrations.RunPython.noop),
    ]
