"""What the decoders share: their interface, attention over the feature grid, the LSTM cell, and initial weights.

Letters in shape comments, here and in decoders.py: B photos; K captions of each photo (beams when decoding, references
when training); T words; R cells of the feature grid; C its channels; D hidden size; E size of a word vector; V words in
the vocabulary; H attention heads.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from model.config import ModelConfig

Arrays = dict[str, Tensor]
Initializer = Callable[[Tensor], object]  # draws a layer's weight (outputs, inputs) in place


class Decoder(nn.Module, ABC):
    """The interface of all decoders, and their word vectors, which also serve as the output layer (Press & Wolf 2017).

    memory, state = decoder.start(grid)                               # once per photo
    log_probs, state, attention = decoder.step(tokens, memory, state) # once per word, when decoding
    logits = decoder.logits(decoder(grid, tokens))                    # all words at once, when training

    `memory` holds what is computed once per photo, leaves (B, ...); `state` what changes with each word, (B, K, ...).
    """

    feature_layer: ClassVar[str]  # name of the linear layer that reads the feature grid
    initializers: ClassVar[Mapping[str, Initializer]]  # every linear layer by name -> how its weight is drawn

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.config = config
        self.words = nn.Embedding(config.vocabulary_size, config.embedding)
        nn.init.normal_(self.words.weight, std=config.embedding**-0.5)
        self.bias = nn.Parameter(torch.zeros(config.vocabulary_size))
        self.drop = nn.Dropout(config.dropout)

    def initialize(self) -> None:
        """Draw the weights of all linear layers anew, in the order in which they were registered; biases become 0."""
        layers = {name: layer for name, layer in self.named_modules() if isinstance(layer, nn.Linear)}
        if layers.keys() != self.initializers.keys():
            raise TypeError(f"{type(self).__name__}: no initializer, or no layer: {layers.keys() ^ self.initializers}")
        for name, layer in layers.items():
            self.initializers[name](layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)

    def logits(self, readout: Tensor) -> Tensor:
        """Readouts (..., E) -> logits of the next word (..., V)."""
        return F.linear(self.drop(readout), self.words.weight, self.bias)

    @abstractmethod
    def start(self, grid: Tensor) -> tuple[Arrays, Arrays]:
        """Feature grid (B, R, C) -> memory (B, ...), state before the first word (B, 1, ...)."""

    @abstractmethod
    def step(self, tokens: Tensor, memory: Arrays, state: Arrays) -> tuple[Tensor, Arrays, Tensor | None]:
        """Read one word per caption and predict the next.

        Args:
            tokens: int64 (B, K), the newest word of each caption.
            memory: from `start`, leaves (B, ...).
            state: from `start`, expanded to K captions, or from the previous step, leaves (B, K, ...).

        Returns:
            Log-probabilities of the next word (B, K, V); the next state; attention weights (B, K, R), or None from a
            decoder without attention.
        """

    @abstractmethod
    def forward(self, grid: Tensor, tokens: Tensor) -> Tensor:
        """Read whole captions (teacher forcing): grid (B, R, C), tokens (B, K, T) from the start token on.

        Returns the readout (B, K, T, E) for the word after each token. `logits` is separate so that padding can be left
        out before it: that saves a third of the largest product.
        """


class Attention(nn.Module):
    """Soft attention over the feature grid with H heads and scaled dot-product scores (Vaswani et al. 2017, eq. 1).

    The additive score of Xu et al. (2015), eq. 4, would need an array of (B, K, R, D).
    """

    def __init__(self, hidden: int, heads: int):
        super().__init__()
        self.heads, self.width = heads, hidden // heads
        self.query = nn.Linear(hidden, hidden, bias=False)

    def split_heads(self, x: Tensor) -> Tensor:
        """(B, N, D) -> (B, H, N, D / H)."""
        return x.unflatten(-1, (self.heads, self.width)).transpose(1, 2)

    def forward(
        self, hidden: Tensor, keys: Tensor, values: Tensor, sentinel: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Tensor, Tensor]:
        """Attend to the grid, once per query.

        Args:
            hidden: (B, N, D), one query per caption and word.
            keys, values: (B, R, D), of the cells of the grid.
            sentinel: key and value (B, N, D) of one more cell, which each query has for itself.

        Returns:
            Context (B, N, D), and weights (B, N, R), the mean over heads. The weight of the sentinel is left out, so
            with one the weights sum to less than 1.
        """
        query = self.split_heads(self.query(hidden)) * self.width**-0.5  # (B, H, N, D / H)
        scores = query @ self.split_heads(keys).transpose(-1, -2)  # (B, H, N, R)
        if sentinel is None:
            weights = scores.softmax(-1)
            context = weights @ self.split_heads(values)
        else:
            score = (query * self.split_heads(sentinel[0])).sum(-1, keepdim=True)  # (B, H, N, 1)
            weights, share = torch.cat([scores, score], -1).softmax(-1).split([scores.shape[-1], 1], -1)
            context = weights @ self.split_heads(values) + share * self.split_heads(sentinel[1])
        return context.transpose(1, 2).flatten(-2), weights.mean(1)


def lstm_cell(gates: Tensor, cell: Tensor) -> tuple[Tensor, Tensor]:
    """One LSTM step from its pre-activations (Hochreiter & Schmidhuber 1997, with forget gates by Gers et al. 2000).

    gates (..., 4D) in PyTorch's order (input, forget, new, output), cell (..., D) -> hidden (..., D), cell (..., D).
    """
    i, f, g, o = gates.chunk(4, -1)
    cell = f.sigmoid() * cell + i.sigmoid() * g.tanh()
    return o.sigmoid() * cell.tanh(), cell


def before_relu(weight: Tensor) -> None:
    """He et al. 2015, eq. 10: keeps the variance of what passes through a ReLU."""
    nn.init.kaiming_normal_(weight, nonlinearity="relu")


def from_word_vector(weight: Tensor) -> None:
    """For inputs of length 1, which word vectors have because the output layer needs them so."""
    nn.init.normal_(weight, std=0.5)


def recurrent(weight: Tensor) -> None:
    """Saxe et al. 2014: orthogonal for each gate, so that the state keeps its length from word to word."""
    for gate in weight.split(weight.shape[1]):
        nn.init.orthogonal_(gate)


def plain(weight: Tensor) -> None:
    """Glorot & Bengio 2010, eq. 12: keeps the variance of values and gradients."""
    nn.init.xavier_normal_(weight)
