"""Tests of messaging.subscriber_http."""
