"""The captioning model: photo bytes in, a sentence with a confidence out. Reads no settings, knows no bot."""
