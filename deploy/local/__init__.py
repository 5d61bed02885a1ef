"""The whole pipeline on one machine: embedded PostgreSQL and SQS, the sandbox, and what the Procfile names."""


class LocalError(Exception):
    """Why the local pipeline cannot run, as one sentence for the terminal."""
