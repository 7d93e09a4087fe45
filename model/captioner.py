"""The face of the model: photos in, sentences with a confidence out."""

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from math import isqrt
from pathlib import Path
from typing import Literal, Self

import numpy as np

from model.beam_search import Hypothesis, Step, beam_search
from model.checkpoint import StoredModel, load_model
from model.confidence import Confidence, caption_features, mean_probability
from model.engine import Array, Arrays, Engine, Searcher, cpu_lanes
from model.errors import UnavailableEngine
from model.photo_statistics import photo_statistics
from model.sentences import Length, decoding_rules, hedge, rules_of_length, sentence
from model.wording import neutral

Precision = Literal["auto", "int8", "f32"]
NO_PHOTO = "This does not look like a photo."
# module to import -> name for people, extra of pyproject.toml that brings it; the first that is there is "auto"
ENGINES = {"openvino": ("OpenVINO", "worker"), "torch": ("PyTorch", "gpu")}


@dataclass(frozen=True)
class Caption:
    """One sentence about one photo, and all that is known of it."""

    text: str  # for people: capitalised, hedged when unsure, NO_PHOTO when there is none
    words: tuple[str, ...]  # of the sentence, without what is said around it
    confidence: float  # 0 to 1: how often text of this confidence is right
    alternatives: tuple[str, ...]  # the next best sentences, best first
    word_log_probs: tuple[float, ...]  # one per word
    attention: np.ndarray | None  # (words, rows, columns): where the network looked; None from a decoder without any
    hedged: bool
    photo: bool  # False: blank, noise, a page of text, a screenshot ...
    encode_seconds: float = 0.0  # that the encoder took for the whole batch


class Captioner:
    """A model that is loaded and ready. As many threads as its engine has lanes get the most of it."""

    def __init__(self, stored: StoredModel, engine: Engine, *, neutral_wording: bool = False):
        """neutral_wording: see wording.py."""
        self.engine = engine
        self.neutral_wording = neutral_wording
        self.config = stored.config
        self.vocabulary = stored.vocabulary
        self.version = stored.version
        self.rules = decoding_rules(stored.config, stored.vocabulary)
        self.confidence = None if stored.confidence is None else Confidence.from_json(stored.confidence)

    @classmethod
    def load(
        cls,
        folder: Path,
        engine: str = "auto",
        *,
        precision: Precision = "auto",
        device: str = "auto",
        neutral_wording: bool = False,
    ) -> Self:
        """Read a model folder and start an engine; "auto" is OpenVINO where it is installed, else PyTorch.

        precision: of OpenVINO, see openvino_engine.py. device: of PyTorch, "auto" or as torch.device takes it.
        Raises DamagedModel, UnavailableEngine.
        """
        chosen = choose_engine(engine)
        stored = load_model(folder)
        return cls(stored, _start_engine(chosen, stored, precision, device), neutral_wording=neutral_wording)

    def caption(
        self,
        photos: Sequence[np.ndarray],
        *,
        beams: int = 3,
        nbest: int = 1,
        length: Length = "normal",
        said: Sequence[Collection[tuple[str, ...]]] | None = None,
    ) -> list[Caption]:
        """One caption per photo, in the same order. All photos run as one batch; one beam is greedy decoding.

        photos: uint8 (size, size, 3) each, from `read_photo`. nbest: sentences per photo, at most `beams`.
        said: for each photo, the words of sentences to be avoided; more beams find more of the others.
        """
        if not photos:
            return []
        said = said or [()] * len(photos)
        wanted = max(_searched(beams, nbest), min(beams, 1 + max(map(len, said))))
        found, seconds = self._search(photos, beams, wanted, length)
        new = [self._new_first(hypotheses, avoid) for hypotheses, avoid in zip(found, said, strict=True)]
        return [self._caption(photo, hypotheses, nbest, seconds) for photo, hypotheses in zip(photos, new, strict=True)]

    def search(
        self, photos: Sequence[np.ndarray], *, beams: int = 3, nbest: int = 1, length: Length = "normal"
    ) -> list[list[Hypothesis]]:
        """The sentences as decoding found them, best first, `nbest` for each photo."""
        return self._search(photos, beams, nbest, length)[0]

    def warm_up(self, photos: int, *, beams: int = 3, nbest: int = 1) -> None:
        """Work once with batches of up to so many photos: the first time takes longer."""
        size = self.config.photo_size
        if isinstance(self.engine, Searcher):
            self.engine.warm_up(photos, size, beams=beams, rules=self.rules, nbest=_searched(beams, nbest))
            return
        for batch in {1, photos}:
            self.caption([np.zeros((size, size, 3), np.uint8)] * batch, beams=beams, nbest=nbest)

    def _search(
        self, photos: Sequence[np.ndarray], beams: int, nbest: int, length: Length
    ) -> tuple[list[list[Hypothesis]], float]:
        """The sentences, and the seconds that the encoder took."""
        rules = rules_of_length(self.rules, length)
        if isinstance(self.engine, Searcher):
            found = self.engine.search(photos, beams=beams, rules=rules, nbest=nbest)
            return found, self.engine.encode_seconds
        start = time.perf_counter()
        memory, state = self.engine.encode(np.stack(photos))
        seconds = time.perf_counter() - start
        step = partial(_step, self.engine, memory)

        def narrow(left: np.ndarray) -> Step:
            return partial(_step, self.engine, {name: values[left] for name, values in memory.items()})

        return beam_search(step, state, beams=beams, rules=rules, nbest=nbest, narrow=narrow, own=True), seconds

    def _new_first(self, hypotheses: list[Hypothesis], said: Collection[tuple[str, ...]]) -> list[Hypothesis]:
        """Best first, but those that have been said come last."""
        return sorted(hypotheses, key=lambda found: tuple(self._words(found)) in said)

    def _words(self, hypothesis: Hypothesis) -> list[str]:
        """As people read them."""
        words = self.vocabulary.decode(hypothesis.tokens)
        return neutral(words) if self.neutral_wording else words

    def _caption(self, photo: np.ndarray, hypotheses: list[Hypothesis], nbest: int, encode_seconds: float) -> Caption:
        best, *others = hypotheses
        words = self._words(best)
        text, confidence, hedged, is_photo = sentence(words), mean_probability(best), False, True
        if self.confidence is not None:
            confidence = self.confidence.good(caption_features(hypotheses))
            photo_likelihood = self.confidence.photo(photo_statistics(photo))
            if photo_likelihood < self.confidence.refuse_below:
                text, confidence, is_photo = NO_PHOTO, 1 - photo_likelihood, False
            elif confidence < self.confidence.hedge_below:
                text, hedged = hedge(words), True
        return Caption(
            text=text,
            words=tuple(words),
            confidence=confidence,
            alternatives=tuple(sentence(self._words(other)) for other in others[: nbest - 1]),
            word_log_probs=best.log_probs[:-1],
            attention=None if best.extras is None else _grids(best.extras[:-1]),
            hedged=hedged,
            photo=is_photo,
            encode_seconds=encode_seconds,
        )


def _step(engine: Engine, memory: Arrays, tokens: Array, state: Arrays) -> tuple[Array, Arrays, Array | None]:
    """The engine's step with the arguments in the order that beam search wants."""
    return engine.step(tokens, memory, state)


def _searched(beams: int, nbest: int) -> int:
    """Sentences searched for, so that so many can be shown: the second best tells how sure the best is."""
    return max(nbest, min(beams, 2))


def choose_engine(name: str = "auto") -> str:
    """Name of the engine that runs here. Raises UnavailableEngine: what to install."""
    if name == "auto":
        installed = [engine for engine in ENGINES if find_spec(engine)]
        if not installed:
            extras = " or ".join(f'pip install -e ".[{extra}]"' for _, extra in ENGINES.values())
            raise UnavailableEngine(f"no engine is installed here: {extras} brings one")
        return installed[0]
    if name not in ENGINES:
        raise UnavailableEngine(f"there is no engine {name!r}; choose auto, {' or '.join(ENGINES)}")
    if not find_spec(name):
        title, extra = ENGINES[name]
        raise UnavailableEngine(f'{title} is not installed here: pip install -e ".[{extra}]", or choose --engine auto')
    return name


def lanes_of(engine: str = "auto") -> int:
    """Batches that this engine has in work at the same time here. Raises UnavailableEngine."""
    return cpu_lanes() if choose_engine(engine) == "openvino" else 1


def _start_engine(name: str, stored: StoredModel, precision: Precision, device: str) -> Engine:
    """Imports are here because either library may be missing, and takes seconds to load."""
    if name == "openvino":
        from model.openvino_engine import OpenVinoEngine

        return OpenVinoEngine(stored, precision=precision)
    from model.torch_engine import TorchEngine

    return TorchEngine(stored, device=device)


def _grids(attention: np.ndarray) -> np.ndarray:
    """(words, regions) -> (words, rows, columns)."""
    side = isqrt(attention.shape[1])
    return attention.reshape(len(attention), side, side)
