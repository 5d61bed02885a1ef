"""Load and cost measurements, against the stock parts in the same run."""
