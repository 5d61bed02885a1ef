"""What holds for every endpoint of the API."""
