"""Captioned photos from the usual data sets, read into one form: start at dataset.py."""

from training.data.dataset import Dataset, Example, load_dataset
from training.data.mixing import mix

__all__ = ["Dataset", "Example", "load_dataset", "mix"]
