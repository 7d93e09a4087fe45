"""Encode photos on a stream of their own: copied to the device and encoded while another batch is decoded."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from model.pytorch.decoders import Arrays, Decoder
from model.pytorch.inference_encoder import InferenceEncoder

Timestamp = torch.cuda.Event | float  # on a GPU's stream, or of time.perf_counter()


@dataclass(frozen=True)
class EncodedBatch:
    """Memory and state of a batch; on a GPU they may still be being computed."""

    memory: Arrays
    state: Arrays
    started: Timestamp
    finished: Timestamp

    def wait(self) -> tuple[Arrays, Arrays]:
        """Memory and state for use on the current stream, which waits for them; the host does not."""
        if isinstance(self.finished, torch.cuda.Event):
            stream = torch.cuda.current_stream()
            stream.wait_event(self.finished)
            for value in (*self.memory.values(), *self.state.values()):
                value.record_stream(stream)  # allocated on another stream: not to be reused while this one reads it
        return self.memory, self.state

    @property
    def seconds(self) -> float:
        """The time of the encoder. To be read after something that was computed from the batch has been read."""
        if isinstance(self.started, torch.cuda.Event) and isinstance(self.finished, torch.cuda.Event):
            return self.started.elapsed_time(self.finished) / 1000
        assert isinstance(self.started, float)
        assert isinstance(self.finished, float)
        return self.finished - self.started


class AsyncEncoder:
    """The encoder, and the decoder's `start`. On a GPU they run on a stream of their own."""

    def __init__(self, encoder: InferenceEncoder, decoder: Decoder, device: torch.device):
        self._encoder, self._decoder, self._device = encoder, decoder, device
        self._stream = torch.cuda.Stream(device) if device.type == "cuda" else None

    def encode(self, photos: Sequence[np.ndarray], rows: int) -> EncodedBatch:
        """Begin to encode a batch; on a GPU the host does not wait for the result.

        Args:
            photos: uint8 (H, W, 3) each.
            rows: size of the batch; rows after the last photo are black.
        """
        shape = (rows, *photos[0].shape)
        # PyTorch's allocator keeps pinned memory until the copy is over and then reuses it.
        host = torch.empty(shape, dtype=torch.uint8, pin_memory=self._stream is not None)
        np.stack(photos, out=host[: len(photos)].numpy())
        host[len(photos) :] = 0
        with torch.cuda.stream(self._stream):  # None: no effect
            started = self._timestamp()
            pixels = host.to(self._device, non_blocking=True)
            memory, state = self._decoder.start(self._encoder(pixels))
            return EncodedBatch(memory, state, started, self._timestamp())

    def _timestamp(self) -> Timestamp:
        return self._stream.record_event(torch.cuda.Event(enable_timing=True)) if self._stream else time.perf_counter()
