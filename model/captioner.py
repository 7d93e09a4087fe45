"""The model's public interface: photos in, captions with a confidence out."""

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from math import isqrt
from pathlib import Path
from typing import Literal, Self

import numpy as np

from model.beam_search import Step, beam_search
from model.caption_text import Length, decoding_rules, hedge, rules_of_length, sentence
from model.confidence import Confidence, caption_features, mean_probability
from model.engine import Array, Arrays, Engine, Searcher, cpu_lanes
from model.errors import DamagedModel, UnavailableEngine
from model.hypotheses import Hypothesis
from model.model_folder import StoredModel, load_model
from model.neutral_wording import neutral
from model.photo_statistics import photo_statistics

Precision = Literal["auto", "int8", "f32"]
NO_NUMBERS = "the model's weights are damaged: the probabilities of words are no numbers"
NO_PHOTO = "This does not look like a photo."
# module to import -> display name, extra of pyproject.toml that installs it; "auto" takes the first that is installed
ENGINES = {"openvino": ("OpenVINO", "worker"), "torch": ("PyTorch", "gpu")}


@dataclass(frozen=True)
class Prediction:
    """What the model predicts for one photo: the best caption, the next best ones, and how they were found."""

    text: str  # as shown to people: capitalised, hedged when the confidence is low, NO_PHOTO for an image that is none
    words: tuple[str, ...]  # of the best caption alone, in lower case
    confidence: float  # calibrated probability, 0 to 1, that `text` is right
    alternatives: tuple[str, ...]  # the next best captions, best first
    word_log_probs: tuple[float, ...]  # natural logarithm, one per word
    attention: np.ndarray | None  # (words, rows, columns), attention weights; None from a decoder without attention
    hedged: bool  # whether `text` begins with "Could be"
    is_photo: bool  # False for a blank image, noise, a page of text, a screenshot ...
    encode_seconds: float = 0.0  # time of the encoder for the whole batch


class Captioner:
    """A loaded model that is ready to caption. It may be called from `engine.lanes` threads at the same time."""

    def __init__(self, stored: StoredModel, engine: Engine, *, neutral_wording: bool = False):
        """neutral_wording: replace words for gender and age, see neutral_wording.py."""
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
        """Read a model folder and start an engine.

        Args:
            folder: a model folder, see model_folder.py.
            engine: "openvino", "torch", or "auto": OpenVINO where it is installed, else PyTorch.
            precision: of the OpenVINO engine, see OpenVinoEngine.
            device: of the PyTorch engine: "auto" or what torch.device accepts.
            neutral_wording: replace words for gender and age, see neutral_wording.py.

        Raises:
            DamagedModel: the folder is missing, incomplete or damaged.
            UnavailableEngine: the engine is unknown or not installed.
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
        exclude: Sequence[Collection[tuple[str, ...]]] | None = None,
    ) -> list[Prediction]:
        """Caption the photos as one batch; the predictions are in the same order.

        Args:
            photos: uint8 RGB (size, size, 3) each, from `read_photo`.
            beams: width of the beam search; 1 is greedy decoding.
            nbest: captions per photo, the best one included; at most `beams`.
            length: whether shorter or longer captions than usual are preferred.
            exclude: for each photo, the words of captions that should not be the best one. The search must find another
                one for that, so it takes a few beams more than there are captions to exclude.
        """
        if not photos:
            return []
        exclude = exclude or [()] * len(photos)
        wanted = max(_searched(beams, nbest), min(beams, 1 + max(map(len, exclude))))
        found, seconds = self._search(photos, beams, wanted, length)
        return [
            self._prediction(photo, self._excluded_last(hypotheses, unwanted), nbest, seconds)
            for photo, hypotheses, unwanted in zip(photos, found, exclude, strict=True)
        ]

    def search(
        self, photos: Sequence[np.ndarray], *, beams: int = 3, nbest: int = 1, length: Length = "normal"
    ) -> list[list[Hypothesis]]:
        """The `nbest` hypotheses of each photo as the beam search found them, best first."""
        return self._search(photos, beams, nbest, length)[0]

    def warm_up(self, photos: int, *, beams: int = 3, nbest: int = 1) -> None:
        """Caption blank photos once, in batches of up to `photos`, because the first run of an engine takes longer.

        Raises:
            DamagedModel: the weights give no probabilities.
        """
        size = self.config.photo_size
        batches = {1, photos}
        if isinstance(self.engine, Searcher):
            self.engine.warm_up(photos, size, beams=beams, rules=self.rules, nbest=_searched(beams, nbest))
            batches = {1}  # only to see that it gives captions
        for batch in batches:
            self.caption([np.zeros((size, size, 3), np.uint8)] * batch, beams=beams, nbest=nbest)

    def _search(
        self, photos: Sequence[np.ndarray], beams: int, nbest: int, length: Length
    ) -> tuple[list[list[Hypothesis]], float]:
        """The hypotheses of each photo, best first, and the seconds that the encoder took."""
        rules = rules_of_length(self.rules, length)
        if isinstance(self.engine, Searcher):
            found = self.engine.search(photos, beams=beams, rules=rules, nbest=nbest)
            if not all(found):
                raise DamagedModel(NO_NUMBERS)
            return found, self.engine.encode_seconds
        start = time.perf_counter()
        memory, state = self.engine.encode(np.stack(photos))
        seconds = time.perf_counter() - start
        step = partial(_step, self.engine, memory)

        def narrow(left: np.ndarray) -> Step:
            return partial(_step, self.engine, {name: values[left] for name, values in memory.items()})

        found = beam_search(step, state, beams=beams, rules=rules, nbest=nbest, narrow=narrow, overwrite_log_probs=True)
        return found, seconds

    def _excluded_last(self, hypotheses: list[Hypothesis], exclude: Collection[tuple[str, ...]]) -> list[Hypothesis]:
        """The hypotheses in their order, with the excluded ones moved to the end."""
        return sorted(hypotheses, key=lambda found: tuple(self._words(found)) in exclude)

    def _words(self, hypothesis: Hypothesis) -> list[str]:
        """The words of a hypothesis, in neutral wording if that is wanted."""
        words = self.vocabulary.decode(hypothesis.tokens)
        return neutral(words) if self.neutral_wording else words

    def _prediction(
        self, photo: np.ndarray, hypotheses: list[Hypothesis], nbest: int, encode_seconds: float
    ) -> Prediction:
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
        return Prediction(
            text=text,
            words=tuple(words),
            confidence=confidence,
            alternatives=tuple(sentence(self._words(other)) for other in others[: nbest - 1]),
            word_log_probs=best.log_probs[:-1],
            attention=None if best.extras is None else _as_maps(best.extras[:-1]),
            hedged=hedged,
            is_photo=is_photo,
            encode_seconds=encode_seconds,
        )


def _step(engine: Engine, memory: Arrays, tokens: Array, state: Arrays) -> tuple[Array, Arrays, Array | None]:
    """`Engine.step` with the order of arguments that `beam_search` expects of a step function. Raises DamagedModel."""
    log_probs, state, attention = engine.step(tokens, memory, state)
    if np.isnan(log_probs[..., 0]).any():  # the logarithm of a softmax is NaN for all words, or for none
        raise DamagedModel(NO_NUMBERS)
    return log_probs, state, attention


def _searched(beams: int, nbest: int) -> int:
    """How many hypotheses to search for: at least two, because the margin to the second is part of the confidence."""
    return max(nbest, min(beams, 2))


def choose_engine(name: str = "auto") -> str:
    """The name of the engine that will run on this machine.

    Raises:
        UnavailableEngine: the engine is unknown or not installed; the message says what to install.
    """
    if name == "auto":
        installed = [engine for engine in ENGINES if find_spec(engine)]
        if not installed:
            extras = " or ".join(f'pip install -e ".[{extra}]"' for _, extra in ENGINES.values())
            raise UnavailableEngine(f"no engine is installed here; install one with {extras}")
        return installed[0]
    if name not in ENGINES:
        raise UnavailableEngine(f"there is no engine {name!r}; choose auto, {' or '.join(ENGINES)}")
    if not find_spec(name):
        title, extra = ENGINES[name]
        raise UnavailableEngine(f'{title} is not installed here: pip install -e ".[{extra}]", or choose --engine auto')
    return name


def lanes_of(engine: str = "auto") -> int:
    """How many batches this engine processes at the same time on this machine; see `Engine.lanes`.

    Raises:
        UnavailableEngine: the engine is unknown or not installed.
    """
    return cpu_lanes() if choose_engine(engine) == "openvino" else 1


def _start_engine(name: str, stored: StoredModel, precision: Precision, device: str) -> Engine:
    """Build the engine. Imports are here because either library may be missing, and takes seconds to load."""
    if name == "openvino":
        from model.openvino.engine import OpenVinoEngine

        return OpenVinoEngine(stored, precision=precision)
    from model.pytorch.engine import TorchEngine

    return TorchEngine(stored, device=device)


def _as_maps(attention: np.ndarray) -> np.ndarray:
    """Attention weights (words, regions) -> (words, rows, columns) of the square grid."""
    side = isqrt(attention.shape[1])
    return attention.reshape(len(attention), side, side)
