"""The library of Meta's templates: its pages of the API, changes at Meta, its pages of the admin."""
