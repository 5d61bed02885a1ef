#!/usr/bin/env python
"""Django's command line."""

import io
import os
import sys

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "waproject.settings")
    from django.core.management import execute_from_command_line

    from waproject.startup_errors import exit_with_message

    # The encoding of a terminal or a file may lack a tick, or a letter of a name.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # as standard error has it
    try:
        with exit_with_message():
            execute_from_command_line(sys.argv)
    except KeyboardInterrupt:
        # Ctrl-C. Commands that can say how they go on do so themselves. The status is a shell's.
        sys.stderr.write("\nStopped.\n")
        sys.exit(130)
