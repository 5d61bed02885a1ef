"""Shared parts of the web process: parsing, limits, errors and the admin theme."""
