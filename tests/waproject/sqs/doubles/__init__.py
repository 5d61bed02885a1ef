"""What stands in for a client or a consumer in the tests of `waproject.sqs`."""
