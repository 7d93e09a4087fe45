"""The judge and its report, on two tiny models and real feedback."""

import re

import pytest

torch = pytest.importorskip("torch")

from model.errors import BadData  # noqa: E402
from training.data import load_dataset  # noqa: E402
from training.describe import Method  # noqa: E402
from training.feedback import read_feedback  # noqa: E402
from training.findings import Tolerance  # noqa: E402
from training.judge import judge  # noqa: E402
from training.judge_report import write_report  # noqa: E402
from training.judgement import Judgement  # noqa: E402

FREE = Tolerance(cider=9, total=9, length=9, vocabulary=1, commonest=1, repeats=1, cut_off=1)
"""Only held-out feedback counts: four shapes in four colours have no common captions."""


@pytest.fixture(scope="module")
def candidate(taught):
    return taught / "candidate"


@pytest.fixture(scope="module")
def judged(plain_data, told, features):
    """judged(current, candidate): a case."""
    data, feedback = load_dataset(plain_data), read_feedback(told.folder)

    def run(current, other, **options):
        method = Method(encoder_weights=str(current), features=features)
        return judge(current, other, data, feedback, beams=2, method=method, tolerance=FREE, **options)

    return run


@pytest.fixture(scope="module")
def better(judged, plain_model, candidate):
    return judged(plain_model, candidate)


def test_a_candidate_that_says_what_people_want_passes(better):
    assert better.judgement.reasons == []
    assert better.held_out.corrections.difference > 0.1
    assert better.held_out.again[1] < better.held_out.again[0]


def test_the_way_back_is_refused(judged, plain_model, candidate):
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


def test_the_report_is_one_file_that_needs_nothing_else(better, tmp_path):
    page = write_report(better, tmp_path).read_text()
    assert {path.name for path in tmp_path.iterdir()} == {"report.html"}
    assert re.findall(r'(?:src|href)="(?!data:)', page) == []
    assert page.count("data:image/png;base64,") == 2
    assert page.count("data:image/jpeg;base64,") > 0
    for finding in better.judgement.findings:
        assert finding.what in page
    assert better.judgement.candidate in page
    assert '<span class="good">passed</span>' in page
