"""The PyTorch engine, for GPUs; on a CPU it is what the OpenVINO engine is tested against."""

import logging
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from model.errors import DamagedModel, UnavailableEngine
from model.hypotheses import Hypothesis, Rules
from model.model_folder import StoredModel
from model.pytorch.async_encode import AsyncEncoder, EncodedBatch
from model.pytorch.batch_sizes import BatchSizes
from model.pytorch.beam_search import TorchSearch
from model.pytorch.cuda_graphs import GraphRunner
from model.pytorch.decode_loop import EagerRunner, Runner, decode
from model.pytorch.decoders import Arrays, build_decoder, load_weights
from model.pytorch.encoders import Encoder
from model.pytorch.inference_encoder import InferenceEncoder

log = logging.getLogger(__name__)

DTYPES = {"f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16}
# Photos in a batch. On a GPU more are hardly faster, and of two parts one is encoded while the other is decoded.
MAX_BATCH = {"cuda": 256, "cpu": 32}
Kind = tuple[int, int, Rules]  # what a search depends on: beams, nbest, rules


class TorchEngine:
    """Encoder and decoder in PyTorch, with a beam search on the device: an engine.Engine and engine.Searcher.

    On a GPU the encoder runs in half precision; everything else is float32. One call at a time.
    """

    lanes = 1

    def __init__(
        self,
        stored: StoredModel,
        *,
        device: str = "auto",
        precision: Literal["auto", "f32", "f16", "bf16"] = "auto",
        max_batch: int | None = None,
    ):
        """Load a model.

        Args:
            stored: a model folder in memory.
            device: "auto", a GPU if there is one, or what torch.device accepts.
            precision: of the encoder; auto is f16 on a GPU and f32 on a CPU.
            max_batch: photos in a batch; halved when memory runs out.

        Raises:
            DamagedModel: weights are missing or do not fit config.json.
            UnavailableEngine: a GPU is asked for and there is none.
        """
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
            load_weights(network, weights)
            network.eval().requires_grad_(False)
        if on_gpu:
            torch.backends.cudnn.benchmark = True  # there are few sizes of batches
            torch.backends.cuda.matmul.fp32_precision = (
                "tf32"  # of the decoder: as precise as f16, with the range of f32
            )
        self.encoder = InferenceEncoder(encoder, self.device, DTYPES[self.precision])
        self.decoder.to(self.device)
        self.batches = BatchSizes(max_batch or MAX_BATCH[self.device.type], padded=on_gpu)
        self.encode_seconds = 0.0
        self._async = AsyncEncoder(self.encoder, self.decoder, self.device)
        self._searches: dict[Kind, TorchSearch] = {}
        self._pool = torch.cuda.graph_pool_handle() if on_gpu else None
        self._graphs: dict[tuple[Kind, int], Runner] = {}

    @property
    def weights(self) -> int:
        """Size of the weights on the device, in bytes."""
        tensors = [*self.encoder.encoder.parameters(), *self.decoder.parameters()]
        return sum(tensor.numel() * tensor.element_size() for tensor in tensors)

    @torch.inference_mode()
    def encode(self, photos: np.ndarray) -> tuple[Arrays, Arrays]:
        """Photos uint8 (B, 224, 224, 3) -> memory and state on the device, see engine.Engine."""
        memory, state = self._encode([*photos]).wait()
        memory, state = ({name: value[: len(photos)] for name, value in part.items()} for part in (memory, state))
        return memory, state

    @torch.inference_mode()
    def step(self, tokens: Tensor, memory: Arrays, state: Arrays) -> tuple[Tensor, Arrays, Tensor | None]:
        """Tokens int64 (B, K) -> log-probabilities float32 (B, K, V), next state, attention (B, K, R) or None."""
        return self.decoder.step(tokens, memory, state)

    @torch.inference_mode()
    def search(
        self, photos: Sequence[np.ndarray], *, beams: int, rules: Rules, nbest: int = 1
    ) -> list[list[Hypothesis]]:
        """The `nbest` hypotheses of each photo, best first, as model/beam_search.py finds them.

        Raises:
            RuntimeError, MemoryError: memory is too small even for a single photo.
        """
        kind = beams, nbest, rules
        self.encode_seconds = 0.0
        return self.batches.run(lambda left: self._search_parts(left, kind), photos)

    @torch.inference_mode()
    def decode(self, memory: Arrays, state: Arrays, kind: Kind, photos: int) -> list[list[Hypothesis]]:
        """Search the hypotheses of the first `photos` rows of what `encode` returned."""
        return decode(
            self._search_of(kind),
            memory,
            state,
            photos=photos,
            bucket=self.batches.bucket,
            runner_for=lambda size: self._runner(kind, size),
        )

    @torch.inference_mode()
    def warm_up(self, photos: int, size: int, *, beams: int, rules: Rules, nbest: int = 1) -> None:
        """Search once with each size of batch up to `photos`, because the first run of a size takes longer.

        On a GPU this kind of search is recorded as CUDA graphs, too; others run without graphs. size: pixels per side.
        """
        kind = beams, nbest, rules
        most = self.batches.bucket(min(photos, self.batches.largest))
        sizes = [bucket for bucket in self.batches.sizes if bucket <= most] if self.batches.padded else {1, most}
        for bucket in sorted(sizes, reverse=True):  # the largest first: the others reuse its memory
            blank = [np.zeros((size, size, 3), np.uint8)] * bucket
            self.search(blank, beams=beams, rules=rules, nbest=nbest)
            if self._pool and bucket <= self.batches.largest and (kind, bucket) not in self._graphs:
                self._record(kind, bucket, blank)

    def _record(self, kind: Kind, bucket: int, photos: Sequence[np.ndarray]) -> None:
        """Record CUDA graphs for one size of batch."""
        assert self._pool is not None
        memory, state = self._async.encode(photos, bucket).wait()
        try:
            self._graphs[kind, bucket] = GraphRunner(self._search_of(kind), memory, state, self._pool)
        except RuntimeError as error:  # without graphs it is only slower
            log.warning("cannot record a CUDA graph for batches of %d, they are decoded without: %s", bucket, error)

    def _search_of(self, kind: Kind) -> TorchSearch:
        if kind not in self._searches:
            beams, nbest, rules = kind
            self._searches[kind] = TorchSearch(self.step, beams=beams, rules=rules, nbest=nbest, device=self.device)
        return self._searches[kind]

    def _runner(self, kind: Kind, size: int) -> Runner:
        return self._graphs.get((kind, size)) or EagerRunner(self._search_of(kind))

    def _search_parts(self, photos: Sequence[np.ndarray], kind: Kind) -> Iterator[list[list[Hypothesis]]]:
        """Encode and decode the photos in batches; while one is decoded, the next is encoded."""
        most = self.batches.largest
        parts = [photos[start : start + most] for start in range(0, len(photos), most)]
        coming = self._encode(parts[0])
        for part, following in zip_longest(parts, parts[1:]):
            memory, state = coming.wait()
            current, coming = coming, self._encode(following) if following is not None else coming
            yield self.decode(memory, state, kind, len(part))
            self.encode_seconds += current.seconds

    def _encode(self, photos: Sequence[np.ndarray]) -> EncodedBatch:
        return self._async.encode(photos, self.batches.bucket(len(photos)))
