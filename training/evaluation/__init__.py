"""Evaluates a model on a data set: predictions, scores, reports."""
