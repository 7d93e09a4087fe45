"""The settings of fine-tuning on feedback, each with a default and a reason. configs/feedback.toml is one recipe."""

from dataclasses import dataclass

from model.errors import BadRecipe
from training.runs.toml_config import TomlConfig

REPLAYS = ("current", "captions")


@dataclass(frozen=True)
class FeedbackRecipe(TomlConfig):
    """Settings of fine-tuning. Each loss is a mean, times its weight; a weight of 0 leaves it out."""

    steps: int = 200
    batch: int = 24  # photos: those of the replay and those with feedback
    replay_share: float = 0.667  # of a batch: original training photos, so that nothing is forgotten
    replay_weight: float = 0.45
    # Targets of the replay. current: the current model's distribution over the next word, along its own caption;
    # captions: people's captions, which preserved less of the model for the same gain.
    replay: str = "current"
    replay_captions: int = 2  # of each replayed photo, if they are people's
    replay_photos: int = 1000  # different ones, at most

    corrections: float = 1.0  # weight of cross-entropy on what people wrote
    preference: float = 0.1  # weight of correction over shown sentence; more of it costs validation CIDEr
    thumbs: float = 1.0  # weight of votes
    preference_beta: float = 5.0  # how far a ratio must move to count: 1 / beta nats a word
    thumbs_beta: float = 5.0

    # Parts of the decoder that are trained; empty: all. By default the LSTM's: training the attention and the word
    # embeddings too cost validation CIDEr and gained nothing.
    taught: tuple[str, ...] = ("from_word", "from_hidden", "ahead_word", "ahead_hidden", "back_word", "back_hidden")
    learning_rate: float = 1.2e-3
    warmup: int = 20  # steps
    clip: float = 1.0  # largest norm of the gradient
    max_words: int = 18  # longer sentences are cut
    min_corrections: int = 100  # with fewer, training would not help
    beams: int = 3  # for validation
    seed: int = 1
    device: str = "auto"  # auto, cpu, cuda

    def __post_init__(self) -> None:
        if self.replay not in REPLAYS:
            raise BadRecipe(f"replay is {self.replay!r}; it must be one of {', '.join(REPLAYS)}")
        if self.device not in ("auto", "cpu", "cuda"):
            raise BadRecipe(f"device is {self.device!r}; it must be one of auto, cpu, cuda")
        if not 0 <= self.replay_share < 1:
            raise BadRecipe(f"replay_share is {self.replay_share}; it must be from 0 to below 1, best 0.5 to 0.75")
        for name in ("steps", "replay_captions", "replay_photos", "max_words", "beams"):
            if getattr(self, name) < 1:
                raise BadRecipe(f"{name} is {getattr(self, name)}; it must be at least 1")
        if self.rated < 2:
            raise BadRecipe(f"batch is {self.batch}; two photos of it must have feedback, replay leaves {self.rated}")

    @property
    def replayed(self) -> int:
        """Photos of a batch that are original training data."""
        return round(self.batch * self.replay_share)

    @property
    def rated(self) -> int:
        """Photos of a batch that have feedback."""
        return self.batch - self.replayed
