"""The files of messages, in memory."""
