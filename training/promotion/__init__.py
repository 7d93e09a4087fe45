"""Judges a candidate model, and promotes it to serve."""
