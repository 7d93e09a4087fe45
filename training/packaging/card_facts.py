"""What a model card tells beside the scores: examples, inventions, and what the model was trained on."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from model.caption_text import sentence
from training.data import Example
from training.data.raw import DERIVED, MACHINE
from training.metrics.objects import reliability

SHOWN_EXAMPLES = 10  # of good captions, and of bad ones
SHOWN_INVENTIONS = 12

Words = Sequence[str]


def drawn_examples(examples: Sequence[Example], captions: Sequence[Words], scores: np.ndarray) -> dict[str, Any]:
    """Examples drawn at random from the best quarter and from the worst."""
    order, draw = np.argsort(scores), np.random.default_rng(0)
    quarter = len(order) // 4
    return {
        name: [
            {
                "photo": examples[at].id,
                "says": sentence(captions[at]),
                "person": sentence(examples[at].captions[0]),
                "cider": float(scores[at]),
            }
            for at in sorted(draw.choice(part, min(SHOWN_EXAMPLES, quarter), replace=False), key=lambda at: -scores[at])
        ]
        for name, part in (("good", order[len(order) - quarter :]), ("bad", order[:quarter]))
    }


def inventions(captions: Sequence[Words], references: Sequence[Sequence[Words]]) -> list[dict[str, Any]]:
    """The objects that are most often named where no reference names them."""
    things = sorted(reliability(captions, references), key=lambda thing: -thing.named_elsewhere)
    return [thing._asdict() for thing in things[:SHOWN_INVENTIONS] if thing.named_elsewhere]


def training_data(train: Sequence[Example], training: Mapping[str, Any]) -> dict[str, Any]:
    """What the decoder was trained on. Captions whose source had no weight are not counted.

    Args:
        training: the metrics of its run; of a mean of models, those of the first one's run count.
    """
    [recipe, *_] = [part.get("recipe", {}) for part in training.get("averaged") or [training]]
    weights = {MACHINE: recipe.get("machine", 1.0), DERIVED: recipe.get("derived", 1.0)}
    sources = Counter(source for example in train for source in example.caption_sources if weights.get(source, 1.0))
    return {
        "data_sets": [*dict.fromkeys(example.dataset for example in train)],
        "photos": sum(any(weights.get(source, 1.0) for source in example.caption_sources) for example in train),
        "captions": sources.total(),
        "sources": dict(sources),
    }
