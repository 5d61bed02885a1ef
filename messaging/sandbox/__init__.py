"""A simulator of Meta's Cloud API, its own process: ``python -m messaging.sandbox``. Nothing imports it."""
