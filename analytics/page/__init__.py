"""The staff page `/analytics/`."""
