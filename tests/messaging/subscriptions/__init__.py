"""Tests of subscriptions, from the outbox to the endpoint."""
