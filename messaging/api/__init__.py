"""The messaging API: send (sending), look at what became of it (messages), once per key (idempotency)."""
