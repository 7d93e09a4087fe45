"""How good captions are: one metric a file, pinned by tests to pycocoevalcap; `scores.score` computes them all."""
