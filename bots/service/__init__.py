"""The service layer: everything that a front-end can ask for, independent of chat platforms."""
