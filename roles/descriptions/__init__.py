"""`captionbot caption --write`: descriptions in the metadata of photos."""
