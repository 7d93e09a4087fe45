"""Our metrics give what pycocoevalcap gives, within 1e-6, on real captions and on a few that need no data."""

import shutil

import numpy as np
import pytest

from training.metrics.bleu import bleu, bleu_of_totals, bleu_statistics, smoothed_bleu
from training.metrics.cider import cider
from training.metrics.meteor import meteor_of_totals, meteor_statistics
from training.metrics.rouge import rouge_l
from training.metrics.tokenizer import tokenize

PHOTOS = 300

# Hypothesis first, then references of different number and length. Among them: the same sentence, nothing in common,
# one word, words repeated too often, too short, too long, and an empty hypothesis.
WRITTEN = """
a dog runs through the grass | a brown dog runs through tall grass | the dog is running | a dog in a field
two children play on a beach | two children play on a beach | kids are playing near the water
man | a man in a red jacket stands on a snowy mountain | someone is standing on a hill
the the the the dog dog | the dog is chasing the other dog on the beach | a dog
a boy jumps | a boy in blue shorts jumps into the swimming pool while his friends are watching him
a woman in a black hat and a green coat is walking along the street past a shop | a woman walks down the street
a girl swings | two bikers race downhill
 | a crowd is watching a parade | people stand in the street
a man is climbing a rock wall | a climber on a cliff | a man climbs a rock | the man is scaling a steep rock face
a white bird is flying over the water | a bird flies over the lake | the seagull is flying above the waves
"""

# What pycocoevalcap 1.2's Meteor().compute_score says of them.
METEOR_OF_CORPUS = 0.2078532791036866
METEOR_OF_PHOTOS = [
    *(0.3264401358197267, 1.0, 0.06, 0.2448979591836735, 0.09880400542738527),
    *(0.2171225736465116, 0.0, 0.0, 0.4228092362480161, 0.2836920227957149),
]


def written() -> tuple[list[list[str]], list[list[list[str]]]]:
    rows = [[sentence.split() for sentence in line.split("|")] for line in WRITTEN.strip("\n").splitlines()]
    return [row[0] for row in rows], [row[1:] for row in rows]


def flickr8k_dev(folder) -> tuple[list[list[str]], list[list[list[str]]]]:
    """One caption of each photo against its other four; every third photo gets its neighbour's caption instead."""
    names = (folder / "Flickr_8k.devImages.txt").read_text().split()[:PHOTOS]
    captions: dict[str, list[list[str]]] = {name: [] for name in names}
    for line in (folder / "Flickr8k.token.txt").read_text().splitlines():
        name, _, sentence = line.partition("#")
        if name in captions:
            captions[name].append(tokenize(sentence.split("\t")[1]))
    own = [captions[name][0] for name in names]
    said = [own[n - 1] if n % 3 == 0 else caption for n, caption in enumerate(own)]
    return said, [captions[name][1:] for name in names]


@pytest.fixture(params=["written", "flickr8k"], scope="module")
def captions(request):
    """Hypotheses and references, tokenised."""
    return written() if request.param == "written" else flickr8k_dev(request.getfixturevalue("flickr8k"))


def for_pycocoevalcap(hypotheses, references):
    theirs = {n: [" ".join(tokens) for tokens in sentences] for n, sentences in enumerate(references)}
    return theirs, {n: [" ".join(tokens)] for n, tokens in enumerate(hypotheses)}


def test_bleu_of_the_corpus_and_of_each_photo(captions):
    theirs = pytest.importorskip("pycocoevalcap.bleu.bleu").Bleu()
    corpus, photos = theirs.compute_score(*for_pycocoevalcap(*captions), verbose=0)
    assert bleu(*captions) == pytest.approx(corpus, abs=1e-6)
    np.testing.assert_allclose(bleu_of_totals(bleu_statistics(*captions)), np.transpose(photos), atol=1e-6)


def test_rouge_l_of_each_photo(captions):
    corpus, photos = (
        pytest.importorskip("pycocoevalcap.rouge.rouge").Rouge().compute_score(*for_pycocoevalcap(*captions))
    )
    np.testing.assert_allclose(rouge_l(*captions), photos, atol=1e-6)
    assert rouge_l(*captions).mean() == pytest.approx(corpus, abs=1e-6)


def test_cider_of_each_photo(captions):
    corpus, photos = (
        pytest.importorskip("pycocoevalcap.cider.cider").Cider().compute_score(*for_pycocoevalcap(*captions))
    )
    np.testing.assert_allclose(cider(*captions), photos, atol=1e-6)
    assert cider(*captions).mean() == pytest.approx(corpus, abs=1e-6)


@pytest.mark.slow
def test_meteor_of_the_corpus_and_of_each_photo():
    """On the written captions alone, and not run twice: a start of the Java program takes ten seconds of a core."""
    pytest.importorskip("pycocoevalcap")
    if not shutil.which("java"):
        pytest.skip("Java is not installed")
    counts, reason = meteor_statistics(*written())
    assert reason == ""
    np.testing.assert_allclose(meteor_of_totals(counts), METEOR_OF_PHOTOS, atol=1e-6)
    assert meteor_of_totals(counts.sum(axis=0)) == pytest.approx(METEOR_OF_CORPUS, abs=1e-6)


def test_smoothed_bleu_is_that_of_nltk(captions):
    nltk = pytest.importorskip("nltk.translate.bleu_score")
    method = nltk.SmoothingFunction().method1
    theirs = [
        nltk.sentence_bleu(references, hypothesis, smoothing_function=method)
        for hypothesis, references in zip(*captions, strict=True)
    ]
    np.testing.assert_allclose(smoothed_bleu(*captions), theirs, atol=1e-6)
