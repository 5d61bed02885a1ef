"""Subscriptions: clients' webhook endpoints and the deliveries to them."""
