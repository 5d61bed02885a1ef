"""Real processes, a fake SQS server, load and a witness, shared by bench, chaos, load tests and tests.

Nothing here knows pytest. `load/` and `loadtest/` also know nothing of local processes, so a command can aim them at a
pipeline that already runs.
"""
