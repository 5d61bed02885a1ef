"""The error of a measurement that cannot continue."""


class BenchError(Exception):
    """A measurement that cannot continue; its message is for the person who started it."""
