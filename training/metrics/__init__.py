"""Caption metrics, one a file, tested to give pycocoevalcap's values; `scores.score` computes all of them."""
