"""What a search on the device found, as sentences: followed back word by word there, then copied over at once."""

import numpy as np
import torch
from torch import Tensor

from model.beam_search import Hypothesis

Arrays = dict[str, Tensor]


def follow_back(arrays: Arrays, nbest: int) -> Arrays:
    """The arrays of TorchSearch -> of the N best sentences of each photo, best first, still on the device:

    scores (B, N), -inf where there is no such sentence; lengths (B, N); tokens, log_probs (B, L, N); ends (B, N);
    extras (B, L + 1, N, R) if there are any.
    """
    _, most, beams = arrays["words"].shape
    scores = arrays["scores"].flatten(1).masked_fill(~arrays["kept"], -torch.inf)
    scores, nodes = scores.sort(dim=1, descending=True, stable=True)
    scores, nodes = scores[:, :nbest], nodes[:, :nbest]
    lengths, beam = nodes // beams, nodes % beams
    way = [beam]  # the beams in which the first L, L - 1, ..., 0 words stood; nonsense after the last word
    for word in reversed(range(most)):
        parent = arrays["parents"][:, word].gather(1, way[-1])
        way.append(parent.where(word < lengths, way[-1]))
    stood = torch.stack(way[::-1], 1)  # (B, L + 1, N)
    found = {
        "scores": scores,
        "lengths": lengths,
        "tokens": arrays["words"].gather(2, stood[:, 1:]),
        "log_probs": arrays["log_probs"].gather(2, stood[:, 1:]),
        "ends": arrays["ends"].flatten(1).gather(1, nodes),
    }
    if "extras" in arrays:
        where = stood[..., None].expand(*stood.shape, arrays["extras"].shape[-1])
        found["extras"] = arrays["extras"].gather(2, where)
    return found


def fetch(found: Arrays) -> dict[str, np.ndarray]:
    """Copied to the host, in one go; the only wait of the last stretch."""
    host = {
        name: torch.empty(value.shape, dtype=value.dtype, pin_memory=value.is_cuda) for name, value in found.items()
    }
    for name, value in found.items():
        host[name].copy_(value, non_blocking=True)
    if any(value.is_cuda for value in found.values()):
        torch.cuda.current_stream().synchronize()
    return {name: value.numpy() for name, value in host.items()}


def sentences(found: dict[str, np.ndarray], rows: int) -> list[list[Hypothesis]]:
    """What follow_back gave, copied to the host, of the first so many photos."""
    scores, lengths, ends = (found[name][:rows].tolist() for name in ("scores", "lengths", "ends"))
    tokens, log_probs = (found[name][:rows].transpose(0, 2, 1).tolist() for name in ("tokens", "log_probs"))
    return [
        [
            Hypothesis(
                tuple(tokens[photo][place][:length]),
                (*log_probs[photo][place][:length], ends[photo][place]),
                found["extras"][photo, : length + 1, place] if "extras" in found else None,
                score,
            )
            for place, (score, length) in enumerate(zip(scores[photo], lengths[photo], strict=True))
            if score > -np.inf
        ]
        for photo in range(rows)
    ]
