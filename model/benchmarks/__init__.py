"""How fast a model is: whole engines beside each other, and the PyTorch engine beside the limits of its device."""
