"""What captionbot remembers: people, photos, captions, votes, corrections, models. Knows nothing of chat platforms."""
