"""The worker: takes captions from the queue, runs the model on batches of photos and writes the results."""
