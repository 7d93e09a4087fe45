"""From photos on the host to what the decoder looks at: pinned, copied and encoded beside what else the device does."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from model.decoders import Arrays, Decoder
from model.torch_encoder import ServingEncoder

Moment = torch.cuda.Event | float  # on a GPU's stream, or time.perf_counter()


@dataclass(frozen=True)
class Seen:
    """Memory and state of a batch, perhaps still under way."""

    memory: Arrays
    state: Arrays
    begun: Moment
    done: Moment

    def wait(self) -> tuple[Arrays, Arrays]:
        """For the current stream, not for the host, to use them."""
        if isinstance(self.done, torch.cuda.Event):
            stream = torch.cuda.current_stream()
            stream.wait_event(self.done)
            for value in (*self.memory.values(), *self.state.values()):
                value.record_stream(stream)  # made on another one: not to be given away while this one reads it
        return self.memory, self.state

    @property
    def seconds(self) -> float:
        """What it took. To be asked for when something that was made of it has been read."""
        if isinstance(self.begun, torch.cuda.Event) and isinstance(self.done, torch.cuda.Event):
            return self.begun.elapsed_time(self.done) / 1000
        assert isinstance(self.begun, float)
        assert isinstance(self.done, float)
        return self.done - self.begun


class Eye:
    """On a GPU it has a stream of its own, so that it looks at a batch while another is decoded."""

    def __init__(self, encoder: ServingEncoder, decoder: Decoder, device: torch.device):
        self._encoder, self._decoder, self._device = encoder, decoder, device
        self._stream = torch.cuda.Stream(device) if device.type == "cuda" else None

    def look(self, photos: Sequence[np.ndarray], rows: int) -> Seen:
        """uint8 (H, W, 3) each. rows: of the batch that they begin; the others are black. Waits for nothing."""
        shape = (rows, *photos[0].shape)
        # The allocator keeps pinned memory until the copy is over, and gives it out again after.
        host = torch.empty(shape, dtype=torch.uint8, pin_memory=self._stream is not None)
        np.stack(photos, out=host[: len(photos)].numpy())
        host[len(photos) :] = 0
        with torch.cuda.stream(self._stream):  # None: nothing changes
            begun = self._moment()
            pixels = host.to(self._device, non_blocking=True)
            memory, state = self._decoder.start(self._encoder(pixels))
            return Seen(memory, state, begun, self._moment())

    def _moment(self) -> Moment:
        return self._stream.record_event(torch.cuda.Event(enable_timing=True)) if self._stream else time.perf_counter()
