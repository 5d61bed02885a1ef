"""Library for requests to subscriber endpoints: SSRF guard, signature, POST, retry schedule.

A library: it knows neither Django nor the database. https://www.standardwebhooks.com/
"""
