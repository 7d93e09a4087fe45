"""The judge and its report, on two tiny models and real feedback."""

import re

import pytest

from model.errors import BadData
from training.data import load_dataset
from training.evaluation.predict import InferenceOptions
from training.feedback.dataset import read_feedback
from training.promotion.criteria import Tolerance
from training.promotion.judge import judge
from training.promotion.report import write_report
from training.promotion.verdict import Judgement

FREE = Tolerance(cider=9, total=9, length=9, vocabulary=1, commonest=1, repeats=1, cut_off=1)
"""Only held-out feedback counts: four shapes in four colours have no common captions."""


@pytest.fixture(scope="module")
def candidate(finetuned_run):
    return finetuned_run / "candidate"


@pytest.fixture(scope="module")
def judged(plain_data, recorded_feedback, features):
    """judged(current, candidate): a case."""
    data, feedback = load_dataset(plain_data), read_feedback(recorded_feedback.folder)

    def run(current, other, **options):
        inference = InferenceOptions(encoder_weights=str(current), features=features)
        return judge(current, other, data, feedback, beams=2, inference=inference, tolerance=FREE, **options)

    return run


@pytest.fixture(scope="module")
def better(judged, plain_model, candidate):
    return judged(plain_model, candidate)


def test_a_candidate_that_gives_the_wanted_captions_passes(better):
    assert better.judgement.reasons == []
    assert better.held_out.corrections.difference > 0.1
    assert better.held_out.repeated[1] < better.held_out.repeated[0]


def test_the_worse_model_is_refused(judged, plain_model, candidate):
    worse = judged(candidate, plain_model).judgement
    assert not worse.passed
    assert worse.reasons[0].startswith("held-out corrections:")


def test_a_model_does_not_win_against_itself(judged, plain_model):
    same = judged(plain_model, plain_model).judgement
    assert [reason.partition(":")[0] for reason in same.reasons] == ["held-out corrections"]


def test_small_losses_do_not_add_up(judged, plain_model, candidate):
    findings = judged(candidate, candidate, origin=plain_model).judgement.findings
    assert "since the beginning" in {finding.what for finding in findings}


def test_a_judgement_is_kept_in_the_run_folder(better, tmp_path):
    better.judgement.save(tmp_path)
    assert Judgement.load(tmp_path) == better.judgement
    (tmp_path / "judgement.json").write_text("{}")
    with pytest.raises(BadData, match="not a judgement"):
        Judgement.load(tmp_path)


def test_the_report_is_one_self_contained_file(better, tmp_path):
    page = write_report(better, tmp_path).read_text()
    assert {path.name for path in tmp_path.iterdir()} == {"report.html"}
    assert re.findall(r'(?:src|href)="(?!data:)', page) == []
    assert page.count("data:image/png;base64,") == 2
    assert page.count("data:image/jpeg;base64,") > 0
    for finding in better.judgement.findings:
        assert finding.what in page
    assert better.judgement.candidate in page
    assert '<span class="good">passed</span>' in page
