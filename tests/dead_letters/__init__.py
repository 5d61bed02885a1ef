"""The dead-letter browser."""
