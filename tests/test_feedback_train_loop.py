"""The loop of fine-tuning on cached features: what each setting does."""

import numpy as np
import pytest
import torch

from model.errors import BadRecipe
from model.model_folder import load_model
from model.pytorch.decoders import build_decoder
from tests.support.learning_parts import RECIPE, SAID, WANTED, WORDINGS
from training.data import load_dataset
from training.features.encoder_weights import load_encoder
from training.features.feature_cache import FeatureCache, compute_features
from training.features.feature_sources import CachedGrids
from training.feedback.batches import Batch, feedback_by_photo
from training.feedback.dataset import read_feedback
from training.feedback.losses import log_probs
from training.feedback.plausibility import plausible
from training.feedback.recipe import FeedbackRecipe
from training.feedback.train_loop import Replay, train_on_feedback


class FeedbackSetup:
    """The tiny model, feedback, and the features of its photos."""

    def __init__(self, model, data, folder):
        self.stored, self.feedback, dataset = load_model(model), read_feedback(folder / "told"), load_dataset(data)
        encoder = load_encoder("resnet50", str(model))
        self.photos = self.feedback.examples(self.feedback.train)
        original = dataset.split("train")
        compute_features(self.feedback.photos, self.photos, encoder, folder / "photos")
        compute_features(dataset, original, encoder, folder / "original")
        self.grids, grids = (
            CachedGrids(FeatureCache(folder / name), torch.device("cpu")) for name in ("photos", "original")
        )
        self.replay = Replay(original, grids, self.stored.vocabulary)
        self.by_photo = feedback_by_photo(self.feedback.train, self.photos, self.stored.vocabulary)

    def decoder(self):
        decoder = build_decoder(self.stored.config)
        decoder.load_state_dict({name: torch.from_numpy(value.copy()) for name, value in self.stored.decoder.items()})
        return decoder

    def fine_tuned(self, **settings):
        """The decoder and the curves after a few steps."""
        decoder = self.decoder()
        recipe = FeedbackRecipe.of(RECIPE | {"steps": 12} | settings)
        return decoder, train_on_feedback(recipe, decoder, self.by_photo, self.grids, self.replay)

    def parameter_changes(self, **settings) -> dict[str, float]:
        """Squared change of each parameter."""
        after = self.fine_tuned(**settings)[0].state_dict()
        return {
            name: float((after[name] - value).square().sum()) for name, value in self.decoder().state_dict().items()
        }


@pytest.fixture(scope="module")
def setup(plain_model, plain_data, recorded_feedback, tmp_path_factory):
    folder = tmp_path_factory.mktemp("lessons")
    (folder / "told").symlink_to(recorded_feedback.folder)
    return FeedbackSetup(plain_model, plain_data, folder)


def test_feedback_about_a_photo_has_each_sentence_once_with_votes_and_pairs(setup):
    one = setup.by_photo[0]
    captions = [" ".join(setup.stored.vocabulary.decode(ids)) for ids in one.sentences]
    assert len(captions) == len({SAID, *WORDINGS.values()})  # one of the corrections was shown, too
    plain = captions.index(next(text for text in captions if text.startswith("a ")))
    wanted = captions.index(next(text for text in captions if text.endswith(WANTED[-8:])))
    assert one.is_correction == [number != plain for number in range(len(captions))]
    assert one.up[wanted] > 0 == one.down[wanted]
    assert one.down[plain] > 0 == one.up[plain]
    assert sorted(one.pairs) == [(number, plain) for number in range(len(captions)) if number != plain]


def test_a_batch_pads_photos_with_fewer_sentences(setup):
    first, second = setup.by_photo[:2]
    alone = type(first)(second.example, second.sentences[:1], [1.0], [0.5], [False], [])
    batch = Batch.of([alone, first], 10, torch.device("cpu"))
    assert batch.inputs.shape == batch.targets.shape
    count = len(first.sentences)
    assert batch.up[0].tolist() == [1.0, *[0.0] * (count - 1)]
    assert batch.targets[0, 1:].count_nonzero() == 0
    assert (batch.preferred.tolist(), batch.rejected.tolist()) == (
        [count + pair[0] for pair in first.pairs],
        [count + pair[1] for pair in first.pairs],
    )


def test_corrections_get_likelier_and_what_was_disliked_less_so(setup):
    def log_probabilities(decoder):
        batch = Batch.of(setup.by_photo, 10, torch.device("cpu"))
        with torch.no_grad():
            return log_probs(decoder, setup.grids(setup.photos), batch.inputs, batch.targets)[0], batch

    before, batch = log_probabilities(setup.decoder())
    after, _ = log_probabilities(setup.fine_tuned(steps=60)[0])
    assert ((after - before)[batch.is_correction > 0] > 0).all()
    assert ((after - before)[batch.down > 0] < 0).all()


def test_the_same_seed_gives_the_same_weights_and_another_one_others(setup):
    one, same, other = (setup.fine_tuned(seed=seed)[0].state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert any(not torch.equal(one[name], other[name]) for name in one)


def test_replay_keeps_the_model_closer_to_the_reference(setup):
    kept = sum(setup.parameter_changes(replay_weight=20.0).values())
    assert kept < sum(setup.parameter_changes(replay_share=0.0, batch=4).values())


def test_only_the_named_parts_are_trained(setup):
    parameter_changes = setup.parameter_changes(taught=("from_hidden", "ahead_hidden"))
    assert {name.partition(".")[0] for name, distance in parameter_changes.items() if distance > 0} == {"from_hidden"}


def test_parts_that_are_not_there_are_named(setup):
    with pytest.raises(BadRecipe, match="taught is eyes; the parts of this decoder are bias, words, whole"):
        setup.fine_tuned(taught=("eyes",))


@pytest.mark.parametrize("left_out", ["corrections", "preference", "thumbs"])
def test_each_loss_can_be_left_out(setup, left_out):
    row = setup.fine_tuned(**{left_out: 0.0})[1][0]
    assert {"corrections", "preference", "thumbs", "replay"} - row.keys() == {left_out}


def test_replay_targets_can_be_peoples_captions(setup):
    view, captions = (setup.fine_tuned(replay=replay, steps=1)[1][0]["replay"] for replay in ("current", "captions"))
    assert view == pytest.approx(0, abs=1e-3)  # nothing has changed before the first step
    assert captions > 0.01


def test_corrections_that_fit_other_photos_as_well_are_found(setup):
    by_id = {example.id: example for example in setup.photos}
    plain = [(by_id[one.photo], one.words) for one in setup.feedback.train if one.words[0] == "a"]
    decoder = setup.decoder()

    def share(corrections) -> float:
        return np.mean(plausible(decoder, setup.stored.vocabulary, setup.grids, corrections, 10))

    assert share(plain) > 0.9
    # Each sentence at every photo that it was not said of. It fits half of all photos better than the others by
    # definition; its own is among that half, so less than half of the rest is left.
    moved = (plain[shift:] + plain[:shift] for shift in range(1, len(plain)))
    pairs = (zip(plain, others, strict=True) for others in moved)
    strays = [[(photo, words) for (photo, own), (_, words) in pair if words != own] for pair in pairs]
    assert np.mean([share(stray) for stray in strays]) < 0.5
