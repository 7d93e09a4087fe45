"""The decoders in PyTorch: from a feature grid to the words of a caption. decoder_base.py has their interface.

Letters in shape comments are those of decoder_base.py. Names of layers are names of weights in model folders, so they
do not change.
"""

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from model.config import ModelConfig
from model.errors import DamagedModel, one_line
from model.pytorch.decoder_base import (
    Arrays,
    Attention,
    Decoder,
    Initializer,
    before_relu,
    from_word_vector,
    lstm_cell,
    plain,
    recurrent,
)

__all__ = ["DECODERS", "Arrays", "Decoder", "build_decoder", "load_weights"]


class AdaptiveDecoder(Decoder):
    """One LSTM over the words and the mean feature, then adaptive attention: over the grid and a visual sentinel.

    Lu et al. 2017, "Knowing when to look": the sentinel (eq. 9, 10) is computed from a fifth gate and the LSTM's cell.
    A word that follows from the language alone ("of", "the") can attend to it instead of the grid (eq. 11 to 13).
    Attention comes after the LSTM and does not feed back into it, so in training it is one product for all words. The
    two LSTMs of Anderson et al. (2018), "Bottom-up and top-down attention", where it does feed back, learnt no better
    from Flickr8k in the same number of epochs, and each epoch took 1.7 times as long.
    """

    feature_layer = "cells"
    initializers: ClassVar[Mapping[str, Initializer]] = {
        "cells": before_relu,
        "keys": plain,
        "attend.query": plain,
        "readout": plain,
        "from_photo": plain,
        "from_word": from_word_vector,
        "from_hidden": recurrent,
        "sentinel_key": plain,
    }

    def __init__(self, config: ModelConfig):
        super().__init__(config)
        self.cells = nn.Linear(config.channels, config.hidden)
        self.keys = nn.Linear(config.hidden, config.hidden, bias=False)
        self.attend = Attention(config.hidden, config.heads)
        self.readout = nn.Linear(2 * config.hidden, config.embedding)
        self.from_photo = nn.Linear(config.hidden, 5 * config.hidden)
        self.from_word = nn.Linear(config.embedding, 5 * config.hidden, bias=False)
        self.from_hidden = nn.Linear(config.hidden, 5 * config.hidden, bias=False)
        self.sentinel_key = nn.Linear(config.hidden, config.hidden, bias=False)

    def start(self, grid: Tensor) -> tuple[Arrays, Arrays]:
        cells = self.drop(F.relu(self.cells(grid)))
        keys, mean = self.keys(cells), cells.mean(1)
        zeros = mean.new_zeros(len(grid), 1, self.config.hidden)
        memory = {"keys": keys, "cells": cells, "gates": self.from_photo(mean)[:, None]}
        return memory, {"hidden": zeros, "cell": zeros}

    def step(self, tokens: Tensor, memory: Arrays, state: Arrays) -> tuple[Tensor, Arrays, Tensor | None]:
        words = memory["gates"] + self.from_word(self.drop(self.words(tokens)))  # (B, K, 5D)
        hidden, cell, sentinel = self._lstm_step(words, state["hidden"], state["cell"])
        readout, attention = self._attend(hidden, sentinel, memory)
        return self.logits(readout).log_softmax(-1), {"hidden": hidden, "cell": cell}, attention

    def forward(self, grid: Tensor, tokens: Tensor) -> Tensor:
        memory, _ = self.start(grid)
        batch, sentences, _ = tokens.shape
        words = self.from_word(self.drop(self.words(tokens))) + memory["gates"][:, None]  # (B, K, T, 5D)
        hidden = cell = words.new_zeros(batch, sentences, self.config.hidden)
        steps = []
        for word in words.unbind(2):
            hidden, cell, sentinel = self._lstm_step(word, hidden, cell)
            steps.append((hidden, sentinel))
        hiddens, sentinels = (torch.stack(parts, 2).flatten(1, 2) for parts in zip(*steps, strict=True))  # (B, KT, D)
        return self._attend(hiddens, sentinels, memory)[0].unflatten(1, tokens.shape[1:])

    def _lstm_step(self, words: Tensor, hidden: Tensor, cell: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """One word: gates from word and photo (..., 5D), hidden and cell (..., D) -> hidden, cell, sentinel."""
        gates, sentinel_gate = (words + self.from_hidden(hidden)).split([4 * cell.shape[-1], cell.shape[-1]], -1)
        hidden, cell = lstm_cell(gates, cell)
        return hidden, cell, sentinel_gate.sigmoid() * cell.tanh()

    def _attend(self, hidden: Tensor, sentinel: Tensor, memory: Arrays) -> tuple[Tensor, Tensor]:
        """hidden, sentinel (B, N, D) -> readouts (B, N, E), attention (B, N, R)."""
        hidden = self.drop(hidden)
        key_and_value = self.sentinel_key(sentinel), sentinel
        context, attention = self.attend(hidden, memory["keys"], memory["cells"], key_and_value)
        return self.readout(torch.cat([hidden, context], -1)).tanh(), attention


class PooledDecoder(Decoder):
    """An LSTM over the words and one image vector, without attention (Vinyals et al. 2015, "Show and tell").

    Unlike in the paper the vector is given with each word, not before the first one. As in the paper it is embedded
    without a ReLU: most of the vector is the same for all photos, and with a ReLU 98 % of the units were dead after
    three epochs of Flickr8k, and a thousand photos got 21 different captions between them.
    """

    feature_layer = "whole"
    initializers: ClassVar[Mapping[str, Initializer]] = {
        "whole": plain,
        "from_photo": plain,
        "from_word": from_word_vector,
        "from_hidden": recurrent,
        "readout": plain,
    }

    def __init__(self, config: ModelConfig):
        super().__init__(config)
        self.whole = nn.Linear(config.channels, config.hidden)
        self.from_photo = nn.Linear(config.hidden, 4 * config.hidden)
        self.from_word = nn.Linear(config.embedding, 4 * config.hidden, bias=False)
        self.from_hidden = nn.Linear(config.hidden, 4 * config.hidden, bias=False)
        self.readout = nn.Linear(config.hidden, config.embedding)

    def start(self, grid: Tensor) -> tuple[Arrays, Arrays]:
        image = self.drop(self.whole(grid.mean(1)))
        zeros = image.new_zeros(len(grid), 1, self.config.hidden)
        return {"gates": self.from_photo(image)[:, None]}, {"hidden": zeros, "cell": zeros}

    def step(self, tokens: Tensor, memory: Arrays, state: Arrays) -> tuple[Tensor, Arrays, Tensor | None]:
        words = memory["gates"] + self.from_word(self.drop(self.words(tokens)))
        hidden, cell = lstm_cell(words + self.from_hidden(state["hidden"]), state["cell"])
        return self.logits(self._readout(hidden)).log_softmax(-1), {"hidden": hidden, "cell": cell}, None

    def forward(self, grid: Tensor, tokens: Tensor) -> Tensor:
        memory, _ = self.start(grid)
        words = self.from_word(self.drop(self.words(tokens))) + memory["gates"][:, None]
        hidden = cell = words.new_zeros(*tokens.shape[:2], self.config.hidden)
        hiddens = []
        for word in words.unbind(2):
            hidden, cell = lstm_cell(word + self.from_hidden(hidden), cell)
            hiddens.append(hidden)
        return self._readout(torch.stack(hiddens, 2))

    def _readout(self, hidden: Tensor) -> Tensor:
        return self.readout(self.drop(hidden)).tanh()


class BiLstmDecoder(Decoder):
    """A bidirectional LSTM (Schuster & Paliwal 1997) over the words so far, whose final states attend to the grid.

    The forward half continues from word to word. The backward half begins at the newest word, so for each word it reads
    the whole prefix again: T words cost T * (T + 1) / 2 of its steps. The final states of both halves, which have read
    the whole prefix, together are the query.
    """

    feature_layer = "cells"
    initializers: ClassVar[Mapping[str, Initializer]] = {
        "cells": before_relu,
        "ahead_word": from_word_vector,
        "back_word": from_word_vector,
        "ahead_hidden": recurrent,
        "back_hidden": recurrent,
        "attend.query": plain,
        "readout": plain,
    }

    def __init__(self, config: ModelConfig):
        super().__init__(config)
        half = config.hidden // 2
        self.cells = nn.Linear(config.channels, config.hidden)
        self.ahead_word, self.back_word = (nn.Linear(config.embedding, 4 * half) for _ in range(2))
        self.ahead_hidden, self.back_hidden = (nn.Linear(half, 4 * half, bias=False) for _ in range(2))
        self.attend = Attention(config.hidden, heads=1)
        self.readout = nn.Linear(2 * config.hidden, config.embedding)

    def start(self, grid: Tensor) -> tuple[Arrays, Arrays]:
        cells = self.drop(F.relu(self.cells(grid)))
        return {"cells": cells}, {"words": torch.empty(len(grid), 1, 0, dtype=torch.long, device=grid.device)}

    def step(self, tokens: Tensor, memory: Arrays, state: Arrays) -> tuple[Tensor, Arrays, Tensor | None]:
        words = torch.cat([state["words"], tokens[..., None]], -1)  # (B, K, T so far)
        readout, attention = self._attend(self._read(words)[:, :, -1], memory)
        return self.logits(readout).log_softmax(-1), {"words": words}, attention

    def forward(self, grid: Tensor, tokens: Tensor) -> Tensor:
        memory, _ = self.start(grid)
        return self._attend(self._read(tokens).flatten(1, 2), memory)[0].unflatten(1, tokens.shape[1:])

    def _read(self, tokens: Tensor) -> Tensor:
        """tokens (B, K, T) -> (B, K, T, D): the final states of both halves for each prefix of 1 to T words.

        All prefixes run in parallel in the backward half: in its step s the prefix of t words reads word t - s, and
        prefixes that have been read to their first word (t <= s) leave, which has the effect of a mask.
        """
        vectors = self.drop(self.words(tokens))
        length = tokens.shape[-1]
        ahead, words = [], self.ahead_word(vectors)
        hidden = cell = words.new_zeros(*tokens.shape[:2], words.shape[-1] // 4)
        for word in words.unbind(2):
            hidden, cell = lstm_cell(word + self.ahead_hidden(hidden), cell)
            ahead.append(hidden)
        words = self.back_word(vectors)
        hidden = cell = torch.zeros_like(words[..., : words.shape[-1] // 4])
        back = []
        for s in range(length):
            hidden, cell = lstm_cell(words[:, :, : length - s] + self.back_hidden(hidden), cell)
            back.append(hidden[:, :, 0])  # of the prefix of s + 1 words: its first word has been read
            hidden, cell = hidden[:, :, 1:], cell[:, :, 1:]
        return torch.cat([torch.stack(ahead, 2), torch.stack(back, 2)], -1)

    def _attend(self, states: Tensor, memory: Arrays) -> tuple[Tensor, Tensor]:
        """states (B, N, D) -> readouts (B, N, E), attention (B, N, R)."""
        states = self.drop(states)
        context, attention = self.attend(states, memory["cells"], memory["cells"])
        return self.readout(torch.cat([states, context], -1)).tanh(), attention


DECODERS: dict[str, type[Decoder]] = {
    "attention": AdaptiveDecoder,
    "pooled": PooledDecoder,
    "bilstm": BiLstmDecoder,
}


def build_decoder(config: ModelConfig) -> Decoder:
    """A decoder with random weights, drawn so that photo and words reach the LSTM with like strength from the start.

    PyTorch's own initialisation makes the output of each layer about half as large as its input. After an epoch of
    Flickr8k the validation loss was 3.55 with it and 3.35 with this one.
    """
    decoder = DECODERS[config.decoder](config)
    decoder.initialize()
    return decoder


def load_weights(network: nn.Module, weights: Mapping[str, np.ndarray]) -> None:
    """Set a network's weights, in float32. Raises DamagedModel if a name or a shape is another one."""
    tensors = {name: torch.from_numpy(value).float() for name, value in weights.items()}
    try:
        missing, unexpected = network.load_state_dict(tensors, strict=False)
    except RuntimeError as error:  # of shapes
        raise DamagedModel(f"the weights do not fit config.json ({one_line(error)})") from None
    if wrong := [name for name in (*missing, *unexpected) if not name.endswith("num_batches_tracked")]:
        raise DamagedModel(f"the weights do not fit config.json: {len(wrong)} names differ, first {one_line(wrong[0])}")
