"""The sections of the dashboard and the summary."""
