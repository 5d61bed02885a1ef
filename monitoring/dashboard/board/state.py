"""The state of a thing in one word."""

from enum import StrEnum


class State(StrEnum):
    """The worst of several is the last."""

    OK = "ok"
    ATTENTION = "attention"
    TROUBLE = "trouble"
