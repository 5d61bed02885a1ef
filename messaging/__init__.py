"""WhatsApp messages in both directions."""
