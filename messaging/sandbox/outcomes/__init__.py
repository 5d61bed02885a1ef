"""The outcome of a send: Meta's rules, or a fault on request."""
