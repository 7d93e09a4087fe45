"""The database: people, photos, captions, votes, corrections and models. Independent of chat platforms."""
