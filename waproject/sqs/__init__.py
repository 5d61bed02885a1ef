"""A library about Amazon SQS: a kombu transport, queue attributes. It knows no Django and no WhatsApp."""
