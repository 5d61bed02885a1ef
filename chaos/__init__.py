"""Faults on purpose: what the pipeline promises, shown with real processes. Run it with ``make chaos``."""
