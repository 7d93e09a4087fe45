"""Benchmarks of the whole service and of the bare engine."""
