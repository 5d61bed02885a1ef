"""The sandbox's own endpoints under ``/_sandbox/``, without the page."""
