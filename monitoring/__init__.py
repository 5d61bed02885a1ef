"""Monitoring: health, metrics, alerts, dead letters, the dashboard."""
