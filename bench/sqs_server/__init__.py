"""An SQS-compatible server in memory that counts requests and can answer late."""
