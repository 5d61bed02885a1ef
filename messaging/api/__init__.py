"""The messaging API: send (sending), once per key (idempotency), look (messages), read receipts (receipts), change
one's mind (interventions).
"""
