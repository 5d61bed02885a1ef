"""A password hasher that is quick, as tests make a user each; the processes that they start can check its hashes."""

from django.contrib.auth.hashers import PBKDF2PasswordHasher


class QuickHasher(PBKDF2PasswordHasher):
    """One round, where Django's own takes a third of a second of CPU time for a password."""

    iterations = 1
