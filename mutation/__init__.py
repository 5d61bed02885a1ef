"""`make mutants`: single changes of the code, made by mutmut's operators, and whether a test notices each.

A run works on a copy of the checkout in `mutants/`. It starts PostgreSQL and the SQS server once, imports the product
and the tests once, and forks a process for each change, with a database cloned for it.
"""
