"""The decoders in PyTorch: from a grid of features to the next word. One interface, three ideas.

    memory, state = decoder.start(grid)                               # once a photo
    log_probs, state, attention = decoder.step(tokens, memory, state) # once a word
    logits = decoder.logits(decoder(grid, tokens))                    # all words at once, when the sentence is known

Letters in shape comments: B photos; K sentences of each photo (beams when decoding, references when training);
T words; R cells of the grid; C its channels; D hidden size; E size of a word vector; V words in the vocabulary.
`memory` holds what a photo gives once, (B, ...); `state` what changes with each word, (B, K, ...).
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from model.config import ModelConfig

Arrays = dict[str, Tensor]


class Decoder(nn.Module):
    """What all decoders share: word vectors, which also serve as the output layer (Press and Wolf 2017)."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.config = config
        self.words = nn.Embedding(config.vocabulary_size, config.embedding)
        nn.init.normal_(self.words.weight, std=config.embedding**-0.5)
        self.bias = nn.Parameter(torch.zeros(config.vocabulary_size))
        self.drop = nn.Dropout(config.dropout)

    def logits(self, readout: Tensor) -> Tensor:
        """(..., E) -> (..., V)."""
        return F.linear(self.drop(readout), self.words.weight, self.bias)

    def start(self, grid: Tensor) -> tuple[Arrays, Arrays]:
        """grid (B, R, C) -> memory (B, ...), state (B, 1, ...) before the first word."""
        raise NotImplementedError

    def step(self, tokens: Tensor, memory: Arrays, state: Arrays) -> tuple[Tensor, Arrays, Tensor | None]:
        """tokens (B, K) -> log-probabilities of the next word (B, K, V), next state, attention (B, K, R) or None."""
        raise NotImplementedError

    def forward(self, grid: Tensor, tokens: Tensor) -> Tensor:
        """grid (B, R, C), tokens (B, K, T) from the start token on -> readouts (B, K, T, E) of the word after each.

        `logits` makes words of them; padding left out before it saves a third of the largest product.
        """
        raise NotImplementedError


class Attention(nn.Module):
    """Soft attention of H heads over the grid, scored by scaled dot product (Vaswani et al. 2017, eq. 1).

    Chosen over the additive score of Xu et al. (2015) because it needs no (B, K, R, D) array.
    """

    def __init__(self, hidden: int, heads: int):
        super().__init__()
        self.heads, self.width = heads, hidden // heads
        self.query = nn.Linear(hidden, hidden, bias=False)

    def split(self, x: Tensor) -> Tensor:
        """(B, N, D) -> (B, H, N, D / H)."""
        return x.unflatten(-1, (self.heads, self.width)).transpose(1, 2)

    def forward(
        self, hidden: Tensor, keys: Tensor, values: Tensor, sentinel: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Tensor, Tensor]:
        """hidden (B, N, D); keys, values (B, R, D); sentinel: key and value (B, N, D), a cell of each query's own.

        -> context (B, N, D), weights (B, N, R), the mean over heads; what the sentinel took is missing from their sum.
        """
        query = self.split(self.query(hidden)) * self.width**-0.5  # (B, H, N, D / H)
        scores = query @ self.split(keys).transpose(-1, -2)  # (B, H, N, R)
        if sentinel is None:
            weights = scores.softmax(-1)
            context = weights @ self.split(values)
        else:
            own = (query * self.split(sentinel[0])).sum(-1, keepdim=True)  # (B, H, N, 1)
            weights, share = torch.cat([scores, own], -1).softmax(-1).split([scores.shape[-1], 1], -1)
            context = weights @ self.split(values) + share * self.split(sentinel[1])
        return context.transpose(1, 2).flatten(-2), weights.mean(1)


def lstm(gates: Tensor, cell: Tensor) -> tuple[Tensor, Tensor]:
    """gates (..., 4D) in PyTorch's order (input, forget, new, output), cell (..., D) -> hidden, cell."""
    i, f, g, o = gates.chunk(4, -1)
    cell = f.sigmoid() * cell + i.sigmoid() * g.tanh()
    return o.sigmoid() * cell.tanh(), cell


class AdaptiveDecoder(Decoder):
    """One LSTM that reads the words and the whole photo, then looks at the grid, or at its own memory.

    Lu et al. 2017, "Knowing when to look": the sentinel (eq. 9, 10) is a fifth gate, and a word that the language alone
    gives ("of", "the") may take it instead of a cell (eq. 11 to 13). Attention comes after the LSTM and never feeds
    back into it, so in training it is one product for all words. The two LSTMs of Anderson et al. (2018), where it does
    feed back, learnt no better from Flickr8k in the same epochs, each of them 1.7 times as long.
    """

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
        keys, whole = self.keys(cells), cells.mean(1)
        zeros = whole.new_zeros(len(grid), 1, self.config.hidden)
        memory = {"keys": keys, "cells": cells, "gates": self.from_photo(whole)[:, None]}
        return memory, {"hidden": zeros, "cell": zeros}

    def step(self, tokens: Tensor, memory: Arrays, state: Arrays) -> tuple[Tensor, Arrays, Tensor | None]:
        words = memory["gates"] + self.from_word(self.drop(self.words(tokens)))  # (B, K, 5D)
        hidden, cell, sentinel = self._advance(words, state["hidden"], state["cell"])
        readout, attention = self._look(hidden, sentinel, memory)
        return self.logits(readout).log_softmax(-1), {"hidden": hidden, "cell": cell}, attention

    def forward(self, grid: Tensor, tokens: Tensor) -> Tensor:
        memory, _ = self.start(grid)
        batch, sentences, _ = tokens.shape
        words = self.from_word(self.drop(self.words(tokens))) + memory["gates"][:, None]  # (B, K, T, 5D)
        hidden = cell = words.new_zeros(batch, sentences, self.config.hidden)
        steps = []
        for word in words.unbind(2):
            hidden, cell, sentinel = self._advance(word, hidden, cell)
            steps.append((hidden, sentinel))
        said, sentinels = (torch.stack(parts, 2).flatten(1, 2) for parts in zip(*steps, strict=True))  # (B, KT, D)
        return self._look(said, sentinels, memory)[0].unflatten(1, tokens.shape[1:])

    def _advance(self, words: Tensor, hidden: Tensor, cell: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """One word: gates from word and photo (..., 5D), hidden and cell (..., D) -> hidden, cell, sentinel."""
        gates, look = (words + self.from_hidden(hidden)).split([4 * cell.shape[-1], cell.shape[-1]], -1)
        hidden, cell = lstm(gates, cell)
        return hidden, cell, look.sigmoid() * cell.tanh()

    def _look(self, hidden: Tensor, sentinel: Tensor, memory: Arrays) -> tuple[Tensor, Tensor]:
        """hidden, sentinel (B, N, D) -> readouts (B, N, E), attention (B, N, R)."""
        hidden = self.drop(hidden)
        own = self.sentinel_key(sentinel), sentinel
        context, attention = self.attend(hidden, memory["keys"], memory["cells"], own)
        return self.readout(torch.cat([hidden, context], -1)).tanh(), attention


class PooledDecoder(Decoder):
    """The classic encoder-decoder (Vinyals et al. 2015): one image vector, joined with each word, into an LSTM.

    The vector is embedded without a ReLU, as in the paper: what all photos have in common is most of it, and with one
    98 % of the units were dead after three epochs of Flickr8k, and 21 sentences served for a thousand photos.
    """

    def __init__(self, config: ModelConfig):
        super().__init__(config)
        self.whole = nn.Linear(config.channels, config.hidden)
        self.from_photo = nn.Linear(config.hidden, 4 * config.hidden)
        self.from_word = nn.Linear(config.embedding, 4 * config.hidden, bias=False)
        self.from_hidden = nn.Linear(config.hidden, 4 * config.hidden, bias=False)
        self.readout = nn.Linear(config.hidden, config.embedding)

    def start(self, grid: Tensor) -> tuple[Arrays, Arrays]:
        whole = self.drop(self.whole(grid.mean(1)))
        zeros = whole.new_zeros(len(grid), 1, self.config.hidden)
        return {"gates": self.from_photo(whole)[:, None]}, {"hidden": zeros, "cell": zeros}

    def step(self, tokens: Tensor, memory: Arrays, state: Arrays) -> tuple[Tensor, Arrays, Tensor | None]:
        words = memory["gates"] + self.from_word(self.drop(self.words(tokens)))
        hidden, cell = lstm(words + self.from_hidden(state["hidden"]), state["cell"])
        return self.logits(self._speak(hidden)).log_softmax(-1), {"hidden": hidden, "cell": cell}, None

    def forward(self, grid: Tensor, tokens: Tensor) -> Tensor:
        memory, _ = self.start(grid)
        words = self.from_word(self.drop(self.words(tokens))) + memory["gates"][:, None]
        hidden = cell = words.new_zeros(*tokens.shape[:2], self.config.hidden)
        said = []
        for word in words.unbind(2):
            hidden, cell = lstm(word + self.from_hidden(hidden), cell)
            said.append(hidden)
        return self._speak(torch.stack(said, 2))

    def _speak(self, hidden: Tensor) -> Tensor:
        return self.readout(self.drop(hidden)).tanh()


class BiLstmDecoder(Decoder):
    """A bidirectional LSTM over the words so far asks the grid by dot product; read again for each word.

    The forward half carries on from word to word; the backward half begins at the newest word, so it must read the
    whole prefix again: T words cost T * (T + 1) / 2 steps of it. Its last state has then read all words, as has
    the forward half's; both together ask the grid.
    """

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
        readout, attention = self._look(self._read(words)[:, :, -1], memory)
        return self.logits(readout).log_softmax(-1), {"words": words}, attention

    def forward(self, grid: Tensor, tokens: Tensor) -> Tensor:
        memory, _ = self.start(grid)
        return self._look(self._read(tokens).flatten(1, 2), memory)[0].unflatten(1, tokens.shape[1:])

    def _read(self, tokens: Tensor) -> Tensor:
        """tokens (B, K, T) -> (B, K, T, D): what both halves made of each prefix, t words long for t = 1 to T.

        All prefixes run side by side in the backward half: in its step s the prefix of t words reads word t - s, and
        the prefixes that are used up (t <= s) drop out, which is the masking.
        """
        vectors = self.drop(self.words(tokens))
        length = tokens.shape[-1]
        ahead, words = [], self.ahead_word(vectors)
        hidden = cell = words.new_zeros(*tokens.shape[:2], words.shape[-1] // 4)
        for word in words.unbind(2):
            hidden, cell = lstm(word + self.ahead_hidden(hidden), cell)
            ahead.append(hidden)
        words = self.back_word(vectors)
        hidden = cell = torch.zeros_like(words[..., : words.shape[-1] // 4])
        back = []
        for s in range(length):
            hidden, cell = lstm(words[:, :, : length - s] + self.back_hidden(hidden), cell)
            back.append(hidden[:, :, 0])  # the prefix of s + 1 words is used up: its first word is read
            hidden, cell = hidden[:, :, 1:], cell[:, :, 1:]
        return torch.cat([torch.stack(ahead, 2), torch.stack(back, 2)], -1)

    def _look(self, read: Tensor, memory: Arrays) -> tuple[Tensor, Tensor]:
        """read (B, N, D) -> readouts (B, N, E), attention (B, N, R)."""
        read = self.drop(read)
        context, attention = self.attend(read, memory["cells"], memory["cells"])
        return self.readout(torch.cat([read, context], -1)).tanh(), attention


DECODERS: dict[str, type[Decoder]] = {
    "attention": AdaptiveDecoder,
    "pooled": PooledDecoder,
    "bilstm": BiLstmDecoder,
}


def build_decoder(config: ModelConfig) -> Decoder:
    """A decoder with fresh random weights, drawn so that photo and words are heard in the LSTM from the start.

    PyTorch's own make each layer's output about half its input; after an epoch of Flickr8k the validation loss was 3.55
    with them and 3.35 with these.
    """
    decoder = DECODERS[config.decoder](config)
    for name, layer in decoder.named_modules():
        if not isinstance(layer, nn.Linear):
            continue
        if name == "cells":  # goes through ReLU (He et al. 2015, eq. 10)
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        elif name.endswith("word"):  # word vectors have length 1, as the output layer wants them
            nn.init.normal_(layer.weight, std=0.5)
        elif name.endswith("hidden"):  # from step to step (Saxe et al. 2014), gate by gate
            for gate in layer.weight.split(layer.in_features):
                nn.init.orthogonal_(gate)
        else:
            nn.init.xavier_normal_(layer.weight)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
    return decoder
