"""Training a captioner: cross-entropy, then self-critical sequence training."""
