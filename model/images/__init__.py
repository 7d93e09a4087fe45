"""Image files from strangers: what is needed of their bytes, which are accepted, and what their pixels are."""
