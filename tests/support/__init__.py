"""Fixtures, small servers and programs for the tests and benchmarks."""
