"""The search on the device against beam_search.py, the reference: on tables of probabilities and small networks."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from model.beam_search import beam_search
from model.config import DECODERS, ModelConfig
from model.hypotheses import Hypothesis, Rules
from model.pytorch.beam_search import TorchSearch
from model.pytorch.decode_loop import EagerRunner, decode
from model.pytorch.decoders import build_decoder

START, END = 0, 1
CPU = torch.device("cpu")


def on_device(step, memory, state, *, beams: int, rules: Rules, nbest: int = 1, sizes: list[int] | None = None):
    """The search on the device; appends the size of every batch that it ran to `sizes`."""
    search = TorchSearch(step, beams=beams, rules=rules, nbest=nbest, device=CPU)

    def runner_for(size: int) -> EagerRunner:
        if sizes is not None:
            sizes.append(size)
        return EagerRunner(search)

    photos = len(next(iter(state.values())))
    with torch.inference_mode():
        return decode(search, memory, state, photos=photos, bucket=lambda count: count, runner_for=runner_for)


def reference(step, memory, state, **options) -> list[list[Hypothesis]]:
    with torch.inference_mode():
        return beam_search(lambda tokens, state: step(tokens, memory, state), state, **options)


def assert_same(ours: list[list[Hypothesis]], theirs: list[list[Hypothesis]], tolerance: float = 0) -> None:
    assert [[one.tokens for one in found] for found in ours] == [[one.tokens for one in found] for found in theirs]
    for here, there in zip(itertools.chain(*ours), itertools.chain(*theirs), strict=True):
        assert here.score == pytest.approx(there.score, abs=tolerance)
        assert here.log_probs == pytest.approx(there.log_probs, abs=tolerance)
        assert (here.extras is None) == (there.extras is None)
        if here.extras is not None:
            np.testing.assert_allclose(here.extras, there.extras, atol=tolerance)


def markov(seed: int, batch: int, vocabulary: int, sharpness: float = 2.0):
    """Step, memory and state of Markov models, a table for each photo. The extra is the row that was read."""
    torch.manual_seed(seed)
    tables = (torch.randn(batch, vocabulary, vocabulary) * sharpness).log_softmax(-1)

    def step(tokens, memory, state):
        rows = memory["tables"][torch.arange(len(tokens))[:, None], tokens]
        return rows, {"number": state["number"] + 1}, rows

    return step, {"tables": tables}, {"number": torch.zeros(batch, 1)}


rules_of_all_kinds = st.builds(
    Rules,
    start=st.just(START),
    end=st.just(END),
    max_words=st.integers(1, 9),
    forbidden=st.sampled_from([(START,), (START, 2)]),
    dangling=st.sampled_from([(), (3,), (3, 4), tuple(range(2, 9))]),
    no_repeat_ngram=st.integers(0, 3),
    no_double_word=st.booleans(),
    length_penalty=st.sampled_from([0.0, 0.7, 1.0, 2.0]),
)


@given(
    seed=st.integers(0, 10_000),
    batch=st.integers(1, 6),
    beams=st.integers(1, 5),
    rules=rules_of_all_kinds,
    data=st.data(),
)
@settings(max_examples=150, deadline=None)
def test_it_finds_what_the_reference_finds_in_any_table(seed, batch, beams, rules, data):
    nbest = data.draw(st.integers(1, beams))
    model = markov(
        seed, batch, vocabulary=data.draw(st.integers(5, 9)), sharpness=data.draw(st.sampled_from([0.5, 3.0]))
    )
    options = {"beams": beams, "rules": rules, "nbest": nbest}
    assert_same(on_device(*model, **options), reference(*model, **options))


@given(
    kind=st.sampled_from(DECODERS),
    seed=st.integers(0, 10_000),
    batch=st.integers(1, 5),
    beams=st.integers(1, 4),
    rules=rules_of_all_kinds,
)
@settings(max_examples=40, deadline=None)
def test_it_finds_what_the_reference_finds_with_any_small_network(kind, seed, batch, beams, rules):
    torch.manual_seed(seed)
    config = ModelConfig(30, kind, photo_size=64, embedding=12, hidden=16, heads=2)
    decoder = build_decoder(config).eval().requires_grad_(False)
    for value in decoder.state_dict().values():
        value.normal_(std=2 * value.shape[-1] ** -0.5)
    with torch.inference_mode():
        memory, state = decoder.start(torch.randn(batch, config.regions, config.channels))
    options = {"beams": beams, "rules": rules, "nbest": beams}
    # In a smaller batch a product rounds otherwise; what is as likely as that is left to chance nowhere in these.
    assert_same(
        on_device(decoder.step, memory, state, **options), reference(decoder.step, memory, state, **options), 1e-4
    )


def test_photos_that_have_finished_leave_early():
    """The captions of three photos have two words, that of the fourth has ten: it ends in a batch of one row."""
    vocabulary, widths, sizes = 12, [], []
    tables = torch.full((4, vocabulary, vocabulary), 1e-4)
    tables[:3, START, 2] = tables[:3, 2, 3] = tables[:3, 3, END] = 1
    for word in range(2, vocabulary):
        tables[3, START, 2] = tables[3, word, 2 + (word - 1) % (vocabulary - 2)] = 1
    step, _, state = markov(0, 4, vocabulary)

    def watched(tokens, memory, state):
        widths.append(len(tokens))
        return step(tokens, memory, state)

    model = watched, {"tables": tables.log()}, state
    options = {"beams": 2, "rules": Rules(START, END, 10, (START,))}
    found = on_device(*model, sizes=sizes, **options)
    assert widths == [4] * 4 + [1] * 7
    assert sizes == [4, 1]
    assert [len(one.tokens) for [one] in found] == [2, 2, 2, 10]
    assert_same(found, reference(step, *model[1:], **options))


def test_a_search_ends_with_its_last_photo():
    calls = []
    step, memory, state = markov(3, 2, 6)
    memory["tables"][:, :, END] = 5  # ends as soon as it may

    def watched(tokens, memory, state):
        calls.append(tokens.shape)
        return step(tokens, memory, state)

    on_device(watched, memory, state, beams=3, rules=Rules(START, END, 20, (START,)))
    assert len(calls) == 4


def test_rows_that_only_fill_a_batch_give_no_result():
    step, memory, state = markov(5, 4, 9)
    rules = Rules(START, END, 7, (START,))
    search = TorchSearch(step, beams=3, rules=rules, nbest=2, device=CPU)
    with torch.inference_mode():
        found = decode(
            search,
            memory,
            state,
            photos=3,
            bucket=lambda count: 4 if count > 2 else 2,
            runner_for=lambda _: EagerRunner(search),
        )
    assert_same(found, reference(step, memory, state, beams=3, rules=rules, nbest=2)[:3])


def test_more_hypotheses_than_beams_is_an_error():
    with pytest.raises(ValueError, match="nbest must be from 1 to beams"):
        TorchSearch(markov(0, 1, 5)[0], beams=2, rules=Rules(START, END, 3), nbest=3, device=CPU)
