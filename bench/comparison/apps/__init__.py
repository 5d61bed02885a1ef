"""Programs that are measured, ours and stock."""
