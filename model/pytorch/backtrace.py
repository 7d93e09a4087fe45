"""From the arrays of a search on the device to hypotheses: traced back word by word there, then copied at once."""

import numpy as np
import torch
from torch import Tensor

from model.hypotheses import Hypothesis

Arrays = dict[str, Tensor]


def backtrace(arrays: Arrays, nbest: int) -> Arrays:
    """Trace the N best hypotheses of each photo back from their ends, on the device. arrays: see TorchSearch.

    Returns:
        scores (B, N), best first, -inf where there is no hypothesis; lengths (B, N) in words; tokens and log_probs
        (B, L, N), of which the first `lengths` count; ends (B, N), log-probability of the end token; and extras
        (B, L + 1, N, R) if there are any. L is the most words.
    """
    _, most, beams = arrays["words"].shape
    scores = arrays["scores"].flatten(1).masked_fill(~arrays["ended"], -torch.inf)
    scores, nodes = scores.sort(dim=1, descending=True, stable=True)
    scores, nodes = scores[:, :nbest], nodes[:, :nbest]
    lengths, beam = nodes // beams, nodes % beams
    path = [beam]  # the beams that held the first L, L - 1, ..., 0 words; after the last word they have no meaning
    for word in reversed(range(most)):
        parent = arrays["parents"][:, word].gather(1, path[-1])
        path.append(parent.where(word < lengths, path[-1]))
    held = torch.stack(path[::-1], 1)  # (B, L + 1, N)
    found = {
        "scores": scores,
        "lengths": lengths,
        "tokens": arrays["words"].gather(2, held[:, 1:]),
        "log_probs": arrays["log_probs"].gather(2, held[:, 1:]),
        "ends": arrays["ends"].flatten(1).gather(1, nodes),
    }
    if "extras" in arrays:
        where = held[..., None].expand(*held.shape, arrays["extras"].shape[-1])
        found["extras"] = arrays["extras"].gather(2, where)
    return found


def fetch(found: Arrays) -> dict[str, np.ndarray]:
    """Copy all arrays to the host, and wait once for all of them."""
    host = {
        name: torch.empty(value.shape, dtype=value.dtype, pin_memory=value.is_cuda) for name, value in found.items()
    }
    for name, value in found.items():
        host[name].copy_(value, non_blocking=True)
    if any(value.is_cuda for value in found.values()):
        torch.cuda.current_stream().synchronize()
    return {name: value.numpy() for name, value in host.items()}


def hypotheses(found: dict[str, np.ndarray], photos: int) -> list[list[Hypothesis]]:
    """The hypotheses of the first photos, best first. found: from `backtrace` and `fetch`."""
    scores, lengths, ends = (found[name][:photos].tolist() for name in ("scores", "lengths", "ends"))
    tokens, log_probs = (found[name][:photos].transpose(0, 2, 1).tolist() for name in ("tokens", "log_probs"))
    return [
        [
            Hypothesis(
                tuple(tokens[photo][rank][:length]),
                (*log_probs[photo][rank][:length], ends[photo][rank]),
                found["extras"][photo, : length + 1, rank] if "extras" in found else None,
                score,
            )
            for rank, (score, length) in enumerate(zip(scores[photo], lengths[photo], strict=True))
            if score > -np.inf
        ]
        for photo in range(photos)
    ]
