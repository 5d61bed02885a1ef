"""Strict input, errors and the OpenAPI description of all API endpoints."""
