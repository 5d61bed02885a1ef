"""Figures of measurements: medians, targets, and the page and plot that show them."""
