"""Fine-tunes a model on people's votes and corrections."""
