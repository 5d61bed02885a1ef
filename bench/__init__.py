"""Load and cost measurements, beside the stock parts in the same run."""
