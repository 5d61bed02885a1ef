"""Nodes of sends that Meta takes and that it refuses, written out: the pipeline and the sandbox are asked about both.

A refusal has the path of the pipeline's 400 below `message_data`, and Meta's code as the sandbox gives it.
"""

from . import interactive, simple, templates

TAKEN = [*simple.TAKEN, *interactive.TAKEN, *templates.TAKEN]
REFUSED = [*simple.REFUSED, *interactive.REFUSED, *templates.REFUSED]
