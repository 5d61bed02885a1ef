"""The cost of what an account brings along: its portfolio's messaging limit, its templates, their checks."""
