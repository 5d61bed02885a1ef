"""Holds and suspensions: messages, templates, campaigns, numbers and accounts that must wait."""
