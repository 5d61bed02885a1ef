"""A load test of a running installation against a sandbox: sends and webhooks, judged by the sandbox's ledger.

`manage.py loadtest` is its command. It starts nothing and reads neither settings nor a database of its own.
"""
