"""Servers in a thread of the test."""
