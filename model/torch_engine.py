"""The PyTorch engine: GPUs, and the reference that the OpenVINO engine is tested against."""

import logging
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from model.beam_search import Hypothesis, Rules
from model.checkpoint import StoredModel
from model.decoders import Arrays, build_decoder
from model.encoders import Encoder
from model.errors import DamagedModel, UnavailableEngine
from model.torch_batches import Batches
from model.torch_decoding import EagerRows, Rows, decode
from model.torch_encoder import ServingEncoder
from model.torch_eye import Eye, Seen
from model.torch_graphs import GraphedRows
from model.torch_search import TorchSearch

log = logging.getLogger(__name__)

DTYPES = {"f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16}
# Photos at once. On a GPU more are hardly faster; of a larger batch one part is encoded while another is decoded.
MOST = {"cuda": 256, "cpu": 32}
Kind = tuple[int, int, Rules]  # beams, sentences wanted, rules: what a search depends on


class TorchEngine:
    """An encoder and a decoder in PyTorch. The encoder is in half precision on a GPU, all else in float32.

    It searches itself, see engine.Searcher. One call at a time.
    """

    lanes = 1

    def __init__(
        self,
        stored: StoredModel,
        *,
        device: str = "auto",
        precision: Literal["auto", "f32", "f16", "bf16"] = "auto",
        most: int | None = None,
    ):
        """precision: of the encoder; auto is float32 on a CPU. most: photos at once, halved when memory does not do."""
        chosen = ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device
        if chosen.startswith("cuda") and not torch.cuda.is_available():
            raise UnavailableEngine("PyTorch finds no GPU here; use --engine openvino, or device cpu")
        if stored.encoder is None:
            raise DamagedModel("this model folder has no encoder: it was trained on cached features; see --features")
        self.device = torch.device(chosen)
        on_gpu = self.device.type == "cuda"
        self.precision = precision if precision != "auto" else "f16" if on_gpu else "f32"
        encoder = Encoder(stored.config.encoder)
        self.decoder = build_decoder(stored.config)
        for network, weights in ((encoder, stored.encoder), (self.decoder, stored.decoder)):
            tensors = {name: torch.from_numpy(value).float() for name, value in weights.items()}
            missing, unexpected = network.load_state_dict(tensors, strict=False)
            if wrong := [name for name in (*missing, *unexpected) if not name.endswith("num_batches_tracked")]:
                raise DamagedModel(f"the weights do not fit config.json: {len(wrong)} names differ, first {wrong[0]}")
            network.eval().requires_grad_(False)
        if on_gpu:
            torch.backends.cudnn.benchmark = True  # sizes of batches are few
            torch.backends.cuda.matmul.fp32_precision = "tf32"  # of the decoder: as precise as f16, without its range
        self.encoder = ServingEncoder(encoder, self.device, DTYPES[self.precision])
        self.decoder.to(self.device)
        self.batches = Batches(most or MOST[self.device.type], padded=on_gpu)
        self.encode_seconds = 0.0
        self._eye = Eye(self.encoder, self.decoder, self.device)
        self._searches: dict[Kind, TorchSearch] = {}
        self._pool = torch.cuda.graph_pool_handle() if on_gpu else None
        self._graphs: dict[tuple[Kind, int], Rows] = {}

    @property
    def weights(self) -> int:
        """Bytes of the weights on the device."""
        tensors = [*self.encoder.encoder.parameters(), *self.decoder.parameters()]
        return sum(tensor.numel() * tensor.element_size() for tensor in tensors)

    @torch.inference_mode()
    def encode(self, photos: np.ndarray) -> tuple[Arrays, Arrays]:
        """uint8 (B, 224, 224, 3) -> memory, state on the device."""
        memory, state = self._look([*photos]).wait()
        memory, state = ({name: value[: len(photos)] for name, value in part.items()} for part in (memory, state))
        return memory, state

    @torch.inference_mode()
    def step(self, tokens: Tensor, memory: Arrays, state: Arrays) -> tuple[Tensor, Arrays, Tensor | None]:
        """tokens int64 (B, K) -> log-probabilities float32 (B, K, V), next state, attention (B, K, R) or None."""
        return self.decoder.step(tokens, memory, state)

    @torch.inference_mode()
    def search(
        self, photos: Sequence[np.ndarray], *, beams: int, rules: Rules, nbest: int = 1
    ) -> list[list[Hypothesis]]:
        """What beam_search gives. Raises what the allocator raises when memory does not do for a lone photo."""
        kind = beams, nbest, rules
        self.encode_seconds = 0.0
        return self.batches.run(lambda left: self._parts(left, kind), photos)

    @torch.inference_mode()
    def decode(self, memory: Arrays, state: Arrays, kind: Kind, photos: int) -> list[list[Hypothesis]]:
        """Sentences of the first so many rows of what `encode` gave."""
        search, bucket = self._search(kind), self.batches.bucket
        return decode(search, memory, state, photos=photos, bucket=bucket, rows_of=lambda size: self._rows(kind, size))

    @torch.inference_mode()
    def warm_up(self, photos: int, size: int, *, beams: int, rules: Rules, nbest: int = 1) -> None:
        """Work once with each size of batch up to so many photos of this side: the first time takes longer.

        On a GPU this search is recorded too; others run without graphs.
        """
        kind = beams, nbest, rules
        most = self.batches.bucket(min(photos, self.batches.most))
        sizes = [bucket for bucket in self.batches.sizes if bucket <= most] if self.batches.padded else {1, most}
        for bucket in sorted(sizes, reverse=True):  # the largest first: its memory serves the others
            blank = [np.zeros((size, size, 3), np.uint8)] * bucket
            self.search(blank, beams=beams, rules=rules, nbest=nbest)
            if self._pool and bucket <= self.batches.most and (kind, bucket) not in self._graphs:
                self._record(kind, bucket, blank)

    def _record(self, kind: Kind, bucket: int, photos: Sequence[np.ndarray]) -> None:
        assert self._pool is not None
        memory, state = self._eye.look(photos, bucket).wait()
        try:
            self._graphs[kind, bucket] = GraphedRows(self._search(kind), memory, state, self._pool)
        except RuntimeError as error:  # graphs are nothing but speed
            log.warning("no CUDA graph for batches of %d, they are decoded without: %s", bucket, error)

    def _search(self, kind: Kind) -> TorchSearch:
        if kind not in self._searches:
            beams, nbest, rules = kind
            self._searches[kind] = TorchSearch(self.step, beams=beams, rules=rules, nbest=nbest, device=self.device)
        return self._searches[kind]

    def _rows(self, kind: Kind, size: int) -> Rows:
        return self._graphs.get((kind, size)) or EagerRows(self._search(kind))

    def _parts(self, photos: Sequence[np.ndarray], kind: Kind) -> Iterator[list[list[Hypothesis]]]:
        """Sentences part by part; while one is decoded the encoder looks at the next."""
        most = self.batches.most
        parts = [photos[start : start + most] for start in range(0, len(photos), most)]
        seen = self._look(parts[0])
        for part, following in zip_longest(parts, parts[1:]):
            memory, state = seen.wait()
            now, seen = seen, self._look(following) if following is not None else seen
            yield self.decode(memory, state, kind, len(part))
            self.encode_seconds += now.seconds

    def _look(self, photos: Sequence[np.ndarray]) -> Seen:
        return self._eye.look(photos, self.batches.bucket(len(photos)))
