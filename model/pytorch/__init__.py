"""The networks in PyTorch, for training, and the engine that runs them on a GPU."""
