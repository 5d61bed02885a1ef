"""The incoming lane: Meta's webhook, stored messages, applied statuses."""
