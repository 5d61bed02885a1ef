#!/usr/bin/env python
"""Django's command line."""

import os
import sys

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "waproject.settings")
    from django.core.management import execute_from_command_line

    from waproject.startup_errors import exit_with_message

    with exit_with_message():
        execute_from_command_line(sys.argv)
