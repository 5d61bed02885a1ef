"""Analytics: its answers over 90 days of ten million messages, and what its counting costs."""
