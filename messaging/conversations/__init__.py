"""Conversations: the chat between one business number and one contact."""
