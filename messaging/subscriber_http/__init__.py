"""Requests to subscribers' endpoints: where they may go, how they are signed, what came of them, when to try again.

A library: it knows neither Django nor the database. https://www.standardwebhooks.com/
"""
