"""Trains an encoder by knowledge distillation from a teacher."""
