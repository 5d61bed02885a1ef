"""The page at ``/_sandbox/``: the phones of the users that the sandbox plays, to be held in one's hand."""
