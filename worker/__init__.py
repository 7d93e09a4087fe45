"""What captions photos: takes jobs from the queue, runs the model in batches, writes sentences into rows."""
