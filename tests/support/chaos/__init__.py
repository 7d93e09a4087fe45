"""Breaks a whole captionbot with real servers while people use it: the parts of tests/chaos.py."""
