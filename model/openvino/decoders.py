"""The decoders as OpenVINO graphs: the equations of model/pytorch/decoders.py, arranged for inference.

What differs from the PyTorch modules: a word's contribution to the LSTM's gates is looked up in a table instead of
computed, and keys and values of the grid are split into heads once per photo, not once per word.

Letters in shape comments: B photos; K beams; R cells of the feature grid; C its channels; D hidden size; E size of a
word vector; V words in the vocabulary; H attention heads; N any number of vectors.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping

import numpy as np

from model.config import ModelConfig
from model.openvino.layers import Graph, Node, concat, constant, integers, opset, relu, split

Nodes = dict[str, Node]


class Decoder(ABC):
    """Builds the two graphs of one kind of decoder: `start` once per photo, `step` once per word."""

    def __init__(self, graph: Graph, config: ModelConfig):
        self.graph, self.config = graph, config

    @abstractmethod
    def start(self, grid: Node) -> Nodes:
        """Feature grid (B, R, C) -> memory, leaves (B, ...)."""

    def state(self) -> dict[str, np.ndarray]:
        """The state before the first word, (1, 1, ...), the same for each photo."""
        zeros = np.zeros((1, 1, self.config.hidden), np.float32)
        return {"hidden": zeros, "cell": zeros}

    @abstractmethod
    def step(
        self, tokens: Node, memory: Mapping[str, Node], state: Mapping[str, Node]
    ) -> tuple[Node, Nodes, Node | None]:
        """Tokens (B, K), state (B, K, ...) -> readouts (B, K, E), next state, attention (B, K, R) or None."""

    def log_probs(self, readout: Node) -> Node:
        """Readouts (B, K, E) -> log-probabilities (B, K, V). The output layer's weights are the word vectors."""
        logits = self.graph.product(
            self.graph.bounded(readout), self.graph.weight("words.weight"), self.graph.weight("bias")
        )
        return opset.log_softmax(logits, -1).output(0)

    def word_gates(self, tokens: Node, name: str = "from_word") -> Node:
        """What each word adds to the gates, (B, K, gates): a row of a table that is computed with the graph."""
        table = self.graph.weight("words.weight") @ self.graph.weight(f"{name}.weight").T
        return opset.gather(constant(table), tokens, integers(0)).output(0)


class GridDecoder(Decoder):
    """What the decoders with attention share."""

    heads: int

    def __init__(self, graph: Graph, config: ModelConfig):
        super().__init__(graph, config)
        self.heads, self.width = config.heads, config.hidden // config.heads

    def split_heads(self, x: Node, order: list[int] | None = None) -> Node:
        """(B, N, D) -> (B, H, N, D / H)."""
        heads = opset.reshape(x, integers([0, 0, self.heads, self.width]), True)
        return opset.transpose(heads, integers(order or [0, 2, 1, 3])).output(0)

    def attend(
        self, hidden: Node, keys: Node, cells: Node, sentinel: tuple[Node, Node] | None = None
    ) -> tuple[Node, Node]:
        """Attend to the grid, as Attention in model/pytorch/decoder_base.py.

        Args:
            hidden: (B, K, D), the queries.
            keys: (B, H, D / H, R).
            cells: (B, H, R, D / H), the values.
            sentinel: key and value (B, K, D) of one more cell, which each query has for itself.

        Returns:
            Context (B, K, D), and attention weights (B, K, R), the mean over heads.
        """
        scale = np.float32(self.width**-0.5)
        query = self.split_heads(
            self.graph.product(self.graph.bounded(hidden), self.graph.weight("attend.query.weight") * scale)
        )
        scores = opset.matmul(query, keys, False, False).output(0)  # (B, H, K, R)
        if sentinel is None:
            weights = opset.softmax(scores, -1).output(0)
            context = opset.matmul(weights, cells, False, False).output(0)
        else:
            key, value = (self.split_heads(part) for part in sentinel)
            score = opset.reduce_sum(opset.multiply(query, key), integers(-1), True).output(0)
            shares = opset.softmax(concat([scores, score]), -1).output(0)
            weights, share = split(shares, [self.config.regions, 1])
            context = opset.matmul(weights, cells, False, False).output(0)
            context = opset.add(context, opset.multiply(share, value)).output(0)
        context = opset.transpose(context, integers([0, 2, 1, 3])).output(0)
        context = opset.reshape(context, integers([0, 0, self.config.hidden]), True).output(0)
        return context, opset.reduce_mean(weights, integers(1)).output(0)

    def read_out(self, hidden: Node, context: Node) -> Node:
        """Hidden state and context (B, K, D) -> readouts (B, K, E)."""
        return opset.tanh(self.graph.linear(concat([hidden, context]), "readout")).output(0)


class AdaptiveDecoder(GridDecoder):
    """One LSTM, then attention over the grid and a sentinel (Lu et al. 2017)."""

    def start(self, grid: Node) -> Nodes:
        """Feature grid (B, R, C) -> keys (B, H, D / H, R), cells (B, H, R, D / H), the photo's gates (B, 1, gates)."""
        cells = relu(self.graph.linear(grid, "cells"))
        mean = opset.reduce_mean(cells, integers(1), True).output(0)
        return {
            "keys": self.split_heads(self.graph.linear(cells, "keys"), [0, 2, 3, 1]),
            "cells": self.split_heads(cells),
            "gates": self.graph.linear(mean, "from_photo"),
        }

    def step(
        self, tokens: Node, memory: Mapping[str, Node], state: Mapping[str, Node]
    ) -> tuple[Node, Nodes, Node | None]:
        words = opset.add(self.word_gates(tokens), memory["gates"])
        gates = opset.add(words, self.graph.linear(self.graph.bounded(state["hidden"]), "from_hidden")).output(0)
        gates, sentinel_gate = split(gates, [4 * self.config.hidden, self.config.hidden])
        hidden, cell = lstm_cell(gates, state["cell"])
        sentinel = opset.multiply(opset.sigmoid(sentinel_gate), opset.tanh(cell)).output(0)
        key_and_value = self.graph.linear(self.graph.bounded(sentinel), "sentinel_key"), sentinel
        context, attention = self.attend(hidden, memory["keys"], memory["cells"], key_and_value)
        return self.read_out(hidden, context), {"hidden": hidden, "cell": cell}, attention


class PooledDecoder(Decoder):
    """One LSTM over the words and one image vector, without attention (Vinyals et al. 2015)."""

    def start(self, grid: Node) -> Nodes:
        mean = opset.reduce_mean(grid, integers(1), True).output(0)
        return {"gates": self.graph.linear(self.graph.linear(mean, "whole"), "from_photo")}

    def step(
        self, tokens: Node, memory: Mapping[str, Node], state: Mapping[str, Node]
    ) -> tuple[Node, Nodes, Node | None]:
        words = opset.add(self.word_gates(tokens), memory["gates"])
        gates = opset.add(words, self.graph.linear(self.graph.bounded(state["hidden"]), "from_hidden")).output(0)
        hidden, cell = lstm_cell(gates, state["cell"])
        return (
            opset.tanh(self.graph.linear(self.graph.bounded(hidden), "readout")).output(0),
            {"hidden": hidden, "cell": cell},
            None,
        )


class BiLstmDecoder(GridDecoder):
    """A bidirectional LSTM over the words so far: its backward half reads all of them again for each word."""

    def __init__(self, graph: Graph, config: ModelConfig):
        super().__init__(graph, config)
        self.heads, self.width, self.half = 1, config.hidden, config.hidden // 2

    def start(self, grid: Node) -> Nodes:
        cells = relu(self.graph.linear(grid, "cells"))
        return {"keys": self.split_heads(cells, [0, 2, 3, 1]), "cells": self.split_heads(cells)}

    def state(self) -> dict[str, np.ndarray]:
        zeros = np.zeros((1, 1, self.half), np.float32)
        return {"words": np.zeros((1, 1, 0), np.int64), "hidden": zeros, "cell": zeros}

    def step(
        self, tokens: Node, memory: Mapping[str, Node], state: Mapping[str, Node]
    ) -> tuple[Node, Nodes, Node | None]:
        words = concat([state["words"], opset.unsqueeze(tokens, integers(-1)).output(0)])  # (B, K, T so far)
        gates = opset.add(self.word_gates(tokens, "ahead_word"), constant(self.graph.weight("ahead_word.bias")))
        gates = opset.add(gates, self.graph.linear(self.graph.bounded(state["hidden"]), "ahead_hidden")).output(0)
        hidden, cell = lstm_cell(gates, state["cell"])
        back = opset.reshape(self._backward(words), opset.shape_of(hidden), False).output(0)
        read = concat([hidden, back])
        context, attention = self.attend(read, memory["keys"], memory["cells"])
        return self.read_out(read, context), {"words": words, "hidden": hidden, "cell": cell}, attention

    def _backward(self, words: Node) -> Node:
        """Words (B, K, T) -> (B * K, 1, D / 2): final hidden state of the backward half."""
        length = opset.gather(opset.shape_of(words), integers([2]), integers(0))
        rows = opset.reshape(words, opset.concat([integers([-1]), length], 0), False)  # (B * K, T)
        vectors = opset.gather(constant(self.graph.weight("words.weight")), rows, integers(0))  # (B * K, T, E)
        count = opset.gather(opset.shape_of(rows), integers([0]), integers(0))
        zeros = opset.broadcast(constant(0), opset.concat([count, integers([1, self.half])], 0))
        parts = [
            _lstm_order(self.graph.weight(f"back_{part}")) for part in ("word.weight", "hidden.weight", "word.bias")
        ]
        weights = [constant(part[None]) for part in parts]  # one direction
        lengths = opset.broadcast(length, count)
        return opset.lstm_sequence(vectors, zeros, zeros, lengths, *weights, self.half, "reverse").output(1)


def lstm_cell(gates: Node, cell: Node) -> tuple[Node, Node]:
    """One LSTM step: gates (..., 4D) in PyTorch's order (input, forget, new, output), cell (..., D) -> hidden, cell."""
    i, f, g, o = opset.split(gates, integers(-1), 4).outputs()
    kept = opset.multiply(opset.sigmoid(f), cell)
    cell = opset.add(kept, opset.multiply(opset.sigmoid(i), opset.tanh(g))).output(0)
    return opset.multiply(opset.sigmoid(o), opset.tanh(cell)).output(0), cell


def _lstm_order(gates: np.ndarray) -> np.ndarray:
    """Weights (4D, ...) with PyTorch's order of gates -> OpenVINO's order: forget, input, new, output."""
    i, f, g, o = np.split(gates, 4)
    return np.concatenate([f, i, g, o])


DECODERS: dict[str, type[Decoder]] = {
    "attention": AdaptiveDecoder,
    "pooled": PooledDecoder,
    "bilstm": BiLstmDecoder,
}
