"""Readers of captioned data sets (Flickr8k, Flickr30k, COCO, Karpathy's splits, own photos): start at dataset.py."""

from training.data.dataset import Dataset, Example, load_dataset
from training.data.mixing import load_mixture, mix

__all__ = ["Dataset", "Example", "load_dataset", "load_mixture", "mix"]
