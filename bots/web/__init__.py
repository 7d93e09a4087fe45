"""The web page and its API, on FastAPI: uploads, captions, votes, events, sessions, health and metrics."""
