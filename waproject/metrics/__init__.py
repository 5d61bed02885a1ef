"""Counters and histograms, kept in memory and flushed to PostgreSQL."""
