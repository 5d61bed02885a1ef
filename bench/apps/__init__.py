"""Programs that are measured, ours and stock, and a subscriber."""
