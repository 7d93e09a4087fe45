"""The loop of fine-tuning on cached features: what each setting does."""

import numpy as np
import pytest
from learning_parts import RECIPE, SAID, WANTED, WORDINGS

torch = pytest.importorskip("torch")

from model.checkpoint import load_model  # noqa: E402
from model.decoders import build_decoder  # noqa: E402
from model.errors import BadRecipe  # noqa: E402
from training.data import load_dataset  # noqa: E402
from training.encoder_weights import load_encoder  # noqa: E402
from training.features import Features, compute_features  # noqa: E402
from training.feedback import read_feedback  # noqa: E402
from training.finetune_recipe import FeedbackRecipe  # noqa: E402
from training.grids import CachedGrids  # noqa: E402
from training.lessons import Batch, lessons_from  # noqa: E402
from training.plausibility import plausible  # noqa: E402
from training.preferences import log_probs  # noqa: E402
from training.teach import Replay, teach  # noqa: E402


class Lessons:
    """The tiny model, what people told it, and where it sees the photos."""

    def __init__(self, model, data, folder):
        self.stored, self.feedback, dataset = load_model(model), read_feedback(folder / "told"), load_dataset(data)
        encoder = load_encoder("resnet50", str(model))
        self.photos = self.feedback.examples(self.feedback.learnt)
        original = dataset.split("train")
        compute_features(self.feedback.photos, self.photos, encoder, folder / "photos")
        compute_features(dataset, original, encoder, folder / "original")
        self.grids, grids = (
            CachedGrids(Features(folder / name), torch.device("cpu")) for name in ("photos", "original")
        )
        self.replay = Replay(original, grids, self.stored.vocabulary)
        self.lessons = lessons_from(self.feedback.learnt, self.photos, self.stored.vocabulary)

    def decoder(self):
        decoder = build_decoder(self.stored.config)
        decoder.load_state_dict({name: torch.from_numpy(value.copy()) for name, value in self.stored.decoder.items()})
        return decoder

    def taught(self, **settings):
        """The decoder and the curves after a few steps."""
        decoder = self.decoder()
        recipe = FeedbackRecipe.of(RECIPE | {"steps": 12} | settings)
        return decoder, teach(recipe, decoder, self.lessons, self.grids, self.replay)

    def moved(self, **settings) -> dict[str, float]:
        """How far each parameter went."""
        after = self.taught(**settings)[0].state_dict()
        return {
            name: float((after[name] - value).square().sum()) for name, value in self.decoder().state_dict().items()
        }


@pytest.fixture(scope="module")
def lessons(plain_model, plain_data, told, tmp_path_factory):
    folder = tmp_path_factory.mktemp("lessons")
    (folder / "told").symlink_to(told.folder)
    return Lessons(plain_model, plain_data, folder)


def test_a_lesson_knows_each_sentence_once_what_votes_weigh_and_which_is_better(lessons):
    lesson = lessons.lessons[0]
    said = [" ".join(lessons.stored.vocabulary.decode(ids)) for ids in lesson.sentences]
    assert len(said) == len({SAID, *WORDINGS.values()})  # one of the corrections was shown, too
    plain = said.index(next(text for text in said if text.startswith("a ")))
    wanted = said.index(next(text for text in said if text.endswith(WANTED[-8:])))
    assert lesson.written == [number != plain for number in range(len(said))]
    assert lesson.up[wanted] > 0 == lesson.down[wanted]
    assert lesson.down[plain] > 0 == lesson.up[plain]
    assert sorted(lesson.pairs) == [(number, plain) for number in range(len(said)) if number != plain]


def test_a_batch_pads_photos_with_fewer_sentences(lessons):
    first, second = lessons.lessons[:2]
    alone = type(first)(second.example, second.sentences[:1], [1.0], [0.5], [False], [])
    batch = Batch.of([alone, first], 10, torch.device("cpu"))
    assert batch.given.shape == batch.wanted.shape
    count = len(first.sentences)
    assert batch.up[0].tolist() == [1.0, *[0.0] * (count - 1)]
    assert batch.wanted[0, 1:].count_nonzero() == 0
    assert (batch.better.tolist(), batch.worse.tolist()) == (
        [count + pair[0] for pair in first.pairs],
        [count + pair[1] for pair in first.pairs],
    )


def test_corrections_get_likelier_and_what_was_disliked_less_so(lessons):
    def likely(decoder):
        batch = Batch.of(lessons.lessons, 10, torch.device("cpu"))
        with torch.no_grad():
            return log_probs(decoder, lessons.grids(lessons.photos), batch.given, batch.wanted)[0], batch

    before, batch = likely(lessons.decoder())
    after, _ = likely(lessons.taught(steps=60)[0])
    assert ((after - before)[batch.written > 0] > 0).all()
    assert ((after - before)[batch.down > 0] < 0).all()


def test_the_same_seed_gives_the_same_weights_and_another_one_others(lessons):
    one, same, other = (lessons.taught(seed=seed)[0].state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert any(not torch.equal(one[name], other[name]) for name in one)


def test_replay_keeps_the_model_closer_to_what_it_said(lessons):
    kept = sum(lessons.moved(replay_weight=20.0).values())
    assert kept < sum(lessons.moved(replay_share=0.0, batch=4).values())


def test_only_the_named_parts_learn(lessons):
    moved = lessons.moved(taught=("from_hidden", "ahead_hidden"))
    assert {name.partition(".")[0] for name, distance in moved.items() if distance > 0} == {"from_hidden"}


def test_parts_that_are_not_there_are_named(lessons):
    with pytest.raises(BadRecipe, match="taught is eyes; the parts of this decoder are bias, words, whole"):
        lessons.taught(taught=("eyes",))


@pytest.mark.parametrize("left_out", ["corrections", "preference", "thumbs"])
def test_each_loss_can_be_left_out(lessons, left_out):
    row = lessons.taught(**{left_out: 0.0})[1][0]
    assert {"corrections", "preference", "thumbs", "replay"} - row.keys() == {left_out}


def test_people_s_captions_can_be_replayed_instead_of_the_model_s_own_view(lessons):
    view, captions = (lessons.taught(replay=replay, steps=1)[1][0]["replay"] for replay in ("current", "captions"))
    assert view == pytest.approx(0, abs=1e-3)  # nothing has changed before the first step
    assert captions > 0.01


def test_a_correction_that_fits_other_photos_as_well_is_told_from_one_that_fits_its_own(lessons):
    by_id = {example.id: example for example in lessons.photos}
    plain = [(by_id[one.photo], one.words) for one in lessons.feedback.learnt if one.words[0] == "a"]
    stray = [(photo, words) for (photo, own), (_, words) in zip(plain, plain[::-1], strict=True) if words != own]
    decoder = lessons.decoder()
    fits = plausible(decoder, lessons.stored.vocabulary, lessons.grids, plain, 10)
    strays = plausible(decoder, lessons.stored.vocabulary, lessons.grids, stray, 10)
    assert np.mean(fits) > 0.9
    assert np.mean(strays) < 0.5
