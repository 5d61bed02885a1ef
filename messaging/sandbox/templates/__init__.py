"""The templates of the business account."""
