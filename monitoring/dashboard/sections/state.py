"""The state of a lane, process, number or the whole pipeline."""

from enum import StrEnum


class State(StrEnum):
    """In order of severity: of several states the last one is the worst."""

    OK = "ok"
    ATTENTION = "attention"
    TROUBLE = "trouble"
