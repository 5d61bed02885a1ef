"""The users that the sandbox plays."""
