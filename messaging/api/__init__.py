"""The messaging API: send (sending), once per key (idempotency), look (messages), change one's mind (interventions)."""
