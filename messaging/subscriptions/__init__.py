"""Subscriptions: clients' webhook endpoints and the deliveries to them, signed by `subscriber_http.signature`."""
