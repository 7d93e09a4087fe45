"""Tests: test_*.py; fixtures and what they need are in tests/support."""
