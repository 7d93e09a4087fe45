"""The decoders as OpenVINO graphs: the arithmetic of decoders.py, arranged for serving.

Letters in shape comments as there: B photos, K beams, R cells of the grid, D hidden size, E size of a word vector,
V words, H heads. What differs from training: a word's share of the gates is looked up instead of computed, and keys and
cells are split into heads once a photo, not once a word.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping

import numpy as np

from model.config import ModelConfig
from model.openvino_graph import Graph, Node, concat, constant, opset, relu, split, whole

Nodes = dict[str, Node]


class Decoder(ABC):
    """Builds both graphs of one kind of decoder."""

    def __init__(self, graph: Graph, config: ModelConfig):
        self.graph, self.config = graph, config

    @abstractmethod
    def start(self, grid: Node) -> Nodes:
        """grid (B, R, C) -> memory, (B, ...)."""

    def state(self) -> dict[str, np.ndarray]:
        """The state before the first word, (1, 1, ...), the same for each photo."""
        zeros = np.zeros((1, 1, self.config.hidden), np.float32)
        return {"hidden": zeros, "cell": zeros}

    @abstractmethod
    def step(
        self, tokens: Node, memory: Mapping[str, Node], state: Mapping[str, Node]
    ) -> tuple[Node, Nodes, Node | None]:
        """tokens (B, K), state (B, K, ...) -> readouts (B, K, E), next state, attention (B, K, R) or None."""

    def log_probs(self, readout: Node) -> Node:
        """(B, K, E) -> (B, K, V). Word vectors are the output layer too."""
        logits = self.graph.product(
            self.graph.bounded(readout), self.graph.weight("words.weight"), self.graph.weight("bias")
        )
        return opset.log_softmax(logits, -1).output(0)

    def word_gates(self, tokens: Node, name: str = "from_word") -> Node:
        """What each word adds to the gates, (B, K, gates): one row of a table that is computed here, once."""
        table = self.graph.weight("words.weight") @ self.graph.weight(f"{name}.weight").T
        return opset.gather(constant(table), tokens, whole(0)).output(0)


class GridDecoder(Decoder):
    """What decoders with attention share."""

    heads: int

    def __init__(self, graph: Graph, config: ModelConfig):
        super().__init__(graph, config)
        self.heads, self.width = config.heads, config.hidden // config.heads

    def split_heads(self, x: Node, order: list[int] | None = None) -> Node:
        """(B, N, D) -> (B, H, N, D / H)."""
        heads = opset.reshape(x, whole([0, 0, self.heads, self.width]), True)
        return opset.transpose(heads, whole(order or [0, 2, 1, 3])).output(0)

    def attend(
        self, hidden: Node, keys: Node, cells: Node, sentinel: tuple[Node, Node] | None = None
    ) -> tuple[Node, Node]:
        """hidden (B, K, D), sentinel: its key and value (B, K, D) -> context (B, K, D), attention (B, K, R)."""
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
            own = opset.reduce_sum(opset.multiply(query, key), whole(-1), True).output(0)
            shares = opset.softmax(concat([scores, own]), -1).output(0)
            weights, share = split(shares, [self.config.regions, 1])
            context = opset.matmul(weights, cells, False, False).output(0)
            context = opset.add(context, opset.multiply(share, value)).output(0)
        context = opset.transpose(context, whole([0, 2, 1, 3])).output(0)
        context = opset.reshape(context, whole([0, 0, self.config.hidden]), True).output(0)
        return context, opset.reduce_mean(weights, whole(1)).output(0)

    def read_out(self, hidden: Node, context: Node) -> Node:
        return opset.tanh(self.graph.linear(concat([hidden, context]), "readout")).output(0)


class AdaptiveDecoder(GridDecoder):
    """One LSTM, attention behind it, a sentinel beside the grid."""

    def start(self, grid: Node) -> Nodes:
        """grid (B, R, C) -> keys (B, H, D / H, R), cells (B, H, R, D / H), gates of the whole photo (B, 1, gates)."""
        cells = relu(self.graph.linear(grid, "cells"))
        mean = opset.reduce_mean(cells, whole(1), True).output(0)
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
        gates, look = split(gates, [4 * self.config.hidden, self.config.hidden])
        hidden, cell = lstm(gates, state["cell"])
        sentinel = opset.multiply(opset.sigmoid(look), opset.tanh(cell)).output(0)
        own = self.graph.linear(self.graph.bounded(sentinel), "sentinel_key"), sentinel
        context, attention = self.attend(hidden, memory["keys"], memory["cells"], own)
        return self.read_out(hidden, context), {"hidden": hidden, "cell": cell}, attention


class PooledDecoder(Decoder):
    """One image vector, one LSTM, no attention."""

    def start(self, grid: Node) -> Nodes:
        mean = opset.reduce_mean(grid, whole(1), True).output(0)
        return {"gates": self.graph.linear(self.graph.linear(mean, "whole"), "from_photo")}

    def step(
        self, tokens: Node, memory: Mapping[str, Node], state: Mapping[str, Node]
    ) -> tuple[Node, Nodes, Node | None]:
        words = opset.add(self.word_gates(tokens), memory["gates"])
        gates = opset.add(words, self.graph.linear(self.graph.bounded(state["hidden"]), "from_hidden")).output(0)
        hidden, cell = lstm(gates, state["cell"])
        return (
            opset.tanh(self.graph.linear(self.graph.bounded(hidden), "readout")).output(0),
            {"hidden": hidden, "cell": cell},
            None,
        )


class BiLstmDecoder(GridDecoder):
    """Two halves over the words so far. The forward half carries on; the backward half reads them all again."""

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
        words = concat([state["words"], opset.unsqueeze(tokens, whole(-1)).output(0)])  # (B, K, T so far)
        gates = opset.add(self.word_gates(tokens, "ahead_word"), constant(self.graph.weight("ahead_word.bias")))
        gates = opset.add(gates, self.graph.linear(self.graph.bounded(state["hidden"]), "ahead_hidden")).output(0)
        hidden, cell = lstm(gates, state["cell"])
        back = opset.reshape(self._back(words), opset.shape_of(hidden), False).output(0)
        read = concat([hidden, back])
        context, attention = self.attend(read, memory["keys"], memory["cells"])
        return self.read_out(read, context), {"words": words, "hidden": hidden, "cell": cell}, attention

    def _back(self, words: Node) -> Node:
        """words (B, K, T) -> (B * K, 1, D / 2): the backward half's state, from the last word to the first."""
        length = opset.gather(opset.shape_of(words), whole([2]), whole(0))
        rows = opset.reshape(words, opset.concat([whole([-1]), length], 0), False)  # (B * K, T)
        vectors = opset.gather(constant(self.graph.weight("words.weight")), rows, whole(0))  # (B * K, T, E)
        count = opset.gather(opset.shape_of(rows), whole([0]), whole(0))
        zeros = opset.broadcast(constant(0), opset.concat([count, whole([1, self.half])], 0))
        parts = [
            _lstm_order(self.graph.weight(f"back_{part}")) for part in ("word.weight", "hidden.weight", "word.bias")
        ]
        weights = [constant(part[None]) for part in parts]  # one direction
        lengths = opset.broadcast(length, count)
        return opset.lstm_sequence(vectors, zeros, zeros, lengths, *weights, self.half, "reverse").output(1)


def lstm(gates: Node, cell: Node) -> tuple[Node, Node]:
    """gates (..., 4D) in PyTorch's order (input, forget, new, output), cell (..., D) -> hidden, cell."""
    i, f, g, o = opset.split(gates, whole(-1), 4).outputs()
    kept = opset.multiply(opset.sigmoid(f), cell)
    cell = opset.add(kept, opset.multiply(opset.sigmoid(i), opset.tanh(g))).output(0)
    return opset.multiply(opset.sigmoid(o), opset.tanh(cell)).output(0), cell


def _lstm_order(gates: np.ndarray) -> np.ndarray:
    """Rows from PyTorch's order of gates to OpenVINO's: forget, input, new, output."""
    i, f, g, o = np.split(gates, 4)
    return np.concatenate([f, i, g, o])


DECODERS: dict[str, type[Decoder]] = {
    "attention": AdaptiveDecoder,
    "pooled": PooledDecoder,
    "bilstm": BiLstmDecoder,
}
