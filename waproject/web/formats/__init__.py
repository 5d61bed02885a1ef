"""Date formats of pages, by language."""
