"""Evaluation of model folders: scores, signature, notes and reports."""

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from PIL import Image

from model.captioner import Captioner
from model.config import ModelConfig
from model.errors import BadData, DamagedModel
from model.model_folder import save_model
from model.preprocessing import read_photo
from model.pytorch.decoders import build_decoder
from model.vocabulary import SPECIAL, Vocabulary
from tests.support.random_models import random_model
from training.data import load_dataset
from training.evaluation.evaluate import Evaluation, compare_with, evaluate, evaluate_all, short_names
from training.evaluation.predict import InferenceOptions
from training.evaluation.report import markdown_table, note_lines, terminal_table, write
from training.metrics.scores import score

ROOT = Path(__file__).resolve().parent.parent
TEACHER = ROOT / "tests/support/tiny_teacher.py"
WORDS = [*SPECIAL, *"a red green blue yellow circle square there is and it".split()]


@pytest.fixture(scope="module")
def dataset(shapes):
    return load_dataset(shapes)


def save_without_encoder(folder: Path, decoder: str = "attention", metrics: dict | None = None) -> Path:
    """A model folder with random weights for the tiny teacher's features, without an encoder."""
    torch.manual_seed(1)
    config = ModelConfig(len(WORDS), decoder, "vgg16", embedding=24, hidden=32, heads=4, max_words=8)
    weights = {name: (2 * value).numpy() for name, value in build_decoder(config).state_dict().items()}
    save_model(folder, config, Vocabulary(WORDS), None, weights, metrics or {}, "A random model.\n")
    return folder


@pytest.fixture(scope="module")
def models(tmp_path_factory) -> Path:
    """Two model folders: attention/best and pooled/best."""
    folder = tmp_path_factory.mktemp("models")
    for decoder in ("attention", "pooled"):
        save_without_encoder(folder / decoder / "best", decoder)
    return folder


@pytest.fixture(scope="module")
def inference(tmp_path_factory) -> InferenceOptions:
    return InferenceOptions(encoder_weights=str(TEACHER), features=tmp_path_factory.mktemp("features"))


@pytest.fixture(scope="module")
def evaluation(models, dataset, inference) -> Evaluation:
    return evaluate(models / "attention/best", dataset, split="train", beams=2, inference=inference, meteor=False)


@pytest.fixture(scope="module")
def with_encoder(tmp_path_factory) -> Path:
    """A model folder with an encoder."""
    stored, _, _ = random_model(photo_size=224)
    folder = tmp_path_factory.mktemp("seeing") / "model"
    save_model(folder, stored.config, stored.vocabulary, stored.encoder, stored.decoder, {}, "A random model.\n")
    return folder


def test_scores_are_those_of_the_captions_that_the_model_serves(with_encoder, dataset):
    examples = dataset.split("train")
    evaluation = evaluate(
        with_encoder, dataset, split="train", beams=2, inference=InferenceOptions(engine="torch"), meteor=False
    )
    captioner = Captioner.load(with_encoder, "torch")
    captions = captioner.caption([read_photo(dataset.photo_bytes(example)) for example in examples], beams=2)
    said = {example.id: caption.words for example, caption in zip(examples, captions, strict=True)}
    expected = score(said, {example.id: example.captions for example in examples}, meteor=False)
    assert {photo: tuple(evaluation.words(photo)) for photo in evaluation.hypotheses} == said
    assert evaluation.scores.figures == expected.figures


def test_the_signature_says_what_was_measured(evaluation, dataset):
    version = evaluation.stored.version
    assert evaluation.signature == f"captionbot:train|n=6|beam=2|tok=ptb-1|model={version}|data={dataset.hash}"


def test_pixels_and_cached_features_of_the_same_encoder_give_the_same_captions(with_encoder, dataset, tmp_path):
    cached = InferenceOptions(encoder_weights=str(with_encoder), features=tmp_path)
    ways = [
        evaluate(with_encoder, dataset, split="train", beams=2, inference=inference, meteor=False)
        for inference in (InferenceOptions(engine="torch"), cached)
    ]
    assert ways[0].signature == ways[1].signature
    assert [ways[0].words(photo) for photo in ways[0].hypotheses] == [
        ways[1].words(photo) for photo in ways[1].hypotheses
    ]


def test_a_model_without_encoder_asks_for_one(dataset, tmp_path):
    with pytest.raises(DamagedModel, match=r"blind has no encoder: .* --encoder-weights"):
        evaluate(save_without_encoder(tmp_path / "blind"), dataset)


def test_a_limit_takes_the_first_photos_and_is_noted(models, dataset, inference):
    part = evaluate(models / "pooled/best", dataset, split="train", beams=1, limit=2, inference=inference, meteor=False)
    assert part.scores.photos == [example.id for example in dataset.split("train")[:2]]
    assert "only the first 2 photos of the split; CIDEr's IDF comes from them alone" in part.notes


@pytest.mark.parametrize(("split", "noted"), [("val", True), ("train", False)])
def test_photos_that_chose_the_checkpoint_are_noted(dataset, inference, tmp_path, split, noted):
    metrics = {"epoch": 7, "phase": "cross_entropy", "data": dataset.hash}
    folder = save_without_encoder(tmp_path / "trained", "pooled", metrics)
    evaluation = evaluate(folder, dataset, split=split, beams=1, inference=inference, meteor=False)
    assert any("these photos chose the checkpoint (epoch 7)" in note for note in evaluation.notes) == noted


def test_the_length_penalty_can_be_overridden(evaluation, models, dataset, inference):
    other_inference = dataclasses.replace(inference, length_penalty=0.0)
    other = evaluate(
        models / "attention/best", dataset, split="train", beams=2, inference=other_inference, meteor=False
    )
    assert (other.length_penalty, evaluation.length_penalty) == (0.0, evaluation.stored.config.length_penalty)
    for best, *_ in other.hypotheses.values():
        assert best.score == pytest.approx(sum(best.log_probs))  # 0: the length counts nothing


def test_a_photo_that_cannot_be_read_is_left_out_and_noted(with_encoder, tiny_dataset):
    (tiny_dataset / "red-circle.jpg").write_bytes(b"")
    dataset = load_dataset(tiny_dataset)
    evaluation = evaluate(
        with_encoder, dataset, split="train", beams=1, inference=InferenceOptions(engine="torch"), meteor=False
    )
    assert len(evaluation.examples) == len(evaluation.scores.photos) == 5
    assert "|n=5|" in evaluation.signature
    assert any("1 photos left out, first red-circle.jpg: " in note for note in evaluation.notes)


def test_an_empty_split_is_refused(models, dataset, inference):
    with pytest.raises(BadData, match="no photos in its test split"):
        evaluate(models / "pooled/best", dataset, split="test", inference=inference)


def test_a_model_is_no_better_than_itself(evaluation):
    for comparison in compare_with(evaluation, evaluation).values():
        assert comparison == (0, 0, 0, 0)


def test_only_the_same_photos_can_be_compared(evaluation, models, dataset, inference):
    other = evaluate(models / "pooled/best", dataset, split="val", beams=2, inference=inference, meteor=False)
    with pytest.raises(BadData, match="they did not caption the same photos"):
        compare_with(evaluation, other)


def test_names_are_the_shortest_unique_ones():
    assert short_names([Path("/a/attention/best"), Path("/a/pooled/best")]) == ["attention/best", "pooled/best"]
    assert short_names([Path("/a/attention/best")]) == ["best"]


def test_several_models_make_one_table(models, dataset, inference):
    both = evaluate_all(
        [models / "attention/best", models / "pooled/best"],
        dataset,
        [1, 3],
        split="train",
        inference=inference,
        meteor=False,
    )
    lines = markdown_table(both).splitlines()
    titles = [line.split(" | ")[0].removeprefix("| ") for line in lines[2:6]]
    assert titles == [f"{name}/best, {way}" for name in ("attention", "pooled") for way in ("greedy", "beam 3")]
    assert lines[0].split(" | ")[1:5] == ["BLEU-1", "BLEU-2", "BLEU-3", "BLEU-4"]
    assert f"{both[0].scores['cider']:.3f} ±" in lines[2]
    assert len({line.count("|") for line in lines[:6]}) == 1
    assert len(terminal_table(both).columns) == 1 + len(both)
    assert [both[0].signature in line for line in note_lines(both)] == [True, False, False, False]


def test_an_evaluation_is_written_to_files(evaluation, tmp_path):
    write([evaluation], tmp_path)
    folder = tmp_path / "best-beam-2"
    metrics = json.loads((folder / "metrics.json").read_text())
    assert metrics["signature"] == evaluation.signature
    assert metrics["figures"]["cider"]["value"] == evaluation.scores["cider"]
    captions = [json.loads(line) for line in (folder / "captions.jsonl").read_text().splitlines()]
    assert [caption["photo"] for caption in captions] == [example.photo for example in evaluation.examples]
    assert captions[0]["references"] == ["a red circle", "there is a circle and it is red"]
    assert captions[0]["confidence"] is None  # none was fitted
    assert sum(caption["cider"] for caption in captions) / 6 == pytest.approx(evaluation.scores["cider"], abs=1e-4)
    assert (folder / "objects.md").read_text().count("| object |") == 1
    with Image.open(folder / "samples.png") as sheet:
        assert sheet.height > 6 * 200
    assert evaluation.signature in (tmp_path / "table.md").read_text()


def test_a_sample_sheet_needs_no_attention(models, dataset, inference, tmp_path):
    pooled = evaluate(models / "pooled/best", dataset, split="val", beams=1, inference=inference, meteor=False)
    write([pooled], tmp_path)
    with Image.open(tmp_path / "best-beam-1/samples.png") as sheet:
        assert sheet.height > 2 * 200


def test_the_command_prints_markdown_into_a_pipe_and_compares(models, shapes, inference):
    folders = [models / "attention/best", models / "pooled/best"]
    options = ["--split", "train", "--greedy", "--no-meteor", "--compare", folders[1]]
    options += ["--encoder-weights", TEACHER, "--features", inference.features]
    arguments = [sys.executable, "-m", "captionbot", "evaluate", folders[0], "--data", shapes, *options]
    done = subprocess.run([*map(str, arguments)], cwd=ROOT, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("|  | BLEU-1 |")
    assert "attention/best, greedy: captionbot:train|n=6|beam=1|tok=ptb-1|model=" in done.stdout
    assert "attention/best, greedy less pooled/best, greedy, paired bootstrap over 6 photos:" in done.stdout
