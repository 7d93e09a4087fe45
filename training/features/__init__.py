"""The encoder's features, cached on disk or computed live, and augmentation of photos."""
