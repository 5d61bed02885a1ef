"""The error of a measurement that cannot go on."""


class BenchError(Exception):
    """A measurement that cannot go on; its message is for the person who started it."""
