"""Faults injected into real processes under load, and the promises that have to hold. Run it with ``make chaos``."""
