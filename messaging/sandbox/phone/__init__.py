"""The page at ``/_sandbox/``: the phones of the sandbox's users."""
