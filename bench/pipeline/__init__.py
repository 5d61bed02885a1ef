"""Measurements in the whole running pipeline: its costs, sends, webhooks, deliveries, pages and task size."""
