"""What stands in for a client or a worker in the tests of `waproject.worker`."""
