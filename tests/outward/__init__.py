"""Tests of messaging.outward."""
