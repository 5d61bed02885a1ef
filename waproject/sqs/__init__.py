"""A library for Amazon SQS: a kombu transport, publishing, moving and sampling. Without Django and WhatsApp."""
