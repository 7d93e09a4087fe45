"""The batcher: jobs that come together run as one batch, and each gets its own result or error."""

import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.processes import until
from worker.batcher import Batcher


class Engine:
    """Doubles numbers, remembers its batches, fails on those it cannot take, and waits while it is held."""

    def __init__(self, bad=(), held=False):
        self.bad, self.batches, self.busy, self.free = set(bad), [], threading.Event(), threading.Event()
        if not held:
            self.free.set()

    def __call__(self, jobs):
        self.busy.set()
        self.free.wait(10)
        self.batches.append(list(jobs))
        if self.bad & set(jobs):
            raise ValueError(f"cannot take {self.bad & set(jobs)}")
        return [2 * job for job in jobs]


def run(engine: Engine, jobs, max_batch, key=lambda job: None):
    """Submit a first job, and all others while the engine is busy with it. Jobs and outcomes, as they came."""
    engine.free.clear()
    done = []
    batcher = Batcher(engine, done.extend, max_batch, key=key)
    batcher.submit(jobs[:1])
    assert engine.busy.wait(10)
    batcher.submit(jobs[1:])
    engine.free.set()
    assert batcher.close(10)
    return done


numbers = st.lists(st.integers(0, 20), min_size=1, max_size=40)


@given(jobs=numbers, max_batch=st.integers(1, 9), bad=st.sets(st.integers(0, 20), max_size=4))
@settings(deadline=None, max_examples=60)
def test_every_job_gets_its_own_outcome_and_only_bad_ones_fail(jobs, max_batch, bad):
    done = run(Engine(bad), jobs, max_batch)
    assert [job for job, _ in done] == jobs
    assert all(isinstance(outcome, ValueError) if job in bad else outcome == 2 * job for job, outcome in done)


@given(jobs=numbers, max_batch=st.integers(1, 9), parts=st.integers(1, 4))
@settings(deadline=None, max_examples=60)
def test_batches_are_never_too_large_nor_mixed_and_keep_the_order_of_each_kind(jobs, max_batch, parts):
    engine = Engine()
    run(engine, jobs, max_batch, key=lambda job: job % parts)
    assert max(len(batch) for batch in engine.batches) <= max_batch
    assert all(len({job % parts for job in batch}) == 1 for batch in engine.batches)
    ran = [job for batch in engine.batches for job in batch]
    for part in range(parts):
        assert [job for job in ran if job % parts == part] == [job for job in jobs if job % parts == part]


def test_a_lone_job_runs_at_once():
    done = []
    batcher = Batcher(Engine(), done.extend, 16)
    batcher.submit([21])
    until(lambda: done == [(21, 42)])
    assert batcher.close(10)


def test_what_gathers_while_the_engine_is_busy_runs_in_full_batches():
    engine = Engine()
    run(engine, list(range(9)), 4)
    assert engine.batches == [[0], [1, 2, 3, 4], [5, 6, 7, 8]]


def test_the_oldest_job_runs_first_whatever_its_kind():
    engine = Engine()
    run(engine, [0, 2, 1, 4, 3, 6], 16, key=lambda job: job % 2)
    assert engine.batches == [[0], [2, 4, 6], [1, 3]]


def test_a_failed_batch_runs_again_job_by_job():
    engine = Engine(bad=[2])
    assert [job for job, outcome in run(engine, [0, 1, 2, 3], 16) if isinstance(outcome, ValueError)] == [2]
    assert engine.batches == [[0], [1, 2, 3], [1], [2], [3]]


def test_an_engine_that_gives_too_few_outcomes_fails_its_jobs():
    done = []
    batcher = Batcher(lambda jobs: [], done.extend, 16)
    batcher.submit([1])
    assert batcher.close(10)
    [(job, error)] = done
    assert (job, str(error)) == (1, "1 jobs gave 0 outcomes")


def test_a_lane_goes_on_when_an_outcome_could_not_be_handed_on():
    done = []

    def hand_on(outcomes):
        if outcomes[0][0] == 1:
            raise RuntimeError("nobody takes it")
        done.extend(outcomes)

    batcher = Batcher(Engine(), hand_on, 1)
    batcher.submit([1, 2])
    assert batcher.close(10)
    assert done == [(2, 4)]


def test_it_is_known_how_long_a_batch_has_been_running():
    engine = Engine(held=True)
    batcher = Batcher(engine, lambda done: None, 2)
    assert batcher.busy_seconds() == 0
    batcher.submit([1])
    assert engine.busy.wait(10)
    assert 0 < batcher.busy_seconds() < 10
    engine.free.set()
    assert batcher.close(10)
    assert batcher.busy_seconds() == 0


def test_lanes_run_side_by_side_and_the_second_of_three_joins_for_half_a_batch_or_more():
    engine = Engine(held=True)
    done = []
    batcher = Batcher(engine, done.extend, 4, lanes=3)
    batcher.submit([0])
    assert engine.busy.wait(10)
    engine.busy.clear()
    batcher.submit([1])
    assert not engine.busy.wait(0.2)  # one job is not worth a batch of its own while another runs
    batcher.submit([2])
    assert engine.busy.wait(10)
    engine.busy.clear()
    batcher.submit([3, 4, 5])
    assert not engine.busy.wait(0.2)  # the third joins for a whole one
    batcher.submit([6])
    assert engine.busy.wait(10)
    assert batcher.busy_seconds() > 0.2
    engine.free.set()
    assert batcher.close(10)
    assert sorted(done) == [(job, 2 * job) for job in range(7)]
    assert sorted(engine.batches) == [[0], [1, 2], [3, 4, 5, 6]]
    assert batcher.busy_seconds() == 0


def test_what_one_lane_leaves_another_takes():
    engine = Engine(held=True)
    batcher = Batcher(engine, lambda done: None, 2, lanes=3)
    batcher.submit(range(6))
    until(lambda: len(batcher._running) == 3)
    engine.free.set()
    assert batcher.close(10)
    assert sorted(engine.batches) == [[0, 1], [2, 3], [4, 5]]


def test_closing_finishes_what_waits_and_takes_no_more():
    engine, done = Engine(held=True), []
    batcher = Batcher(engine, done.extend, 2)
    batcher.submit(range(5))
    assert not batcher.close(0.05)
    engine.free.set()
    assert batcher.close(10)
    assert done == [(job, 2 * job) for job in range(5)]
    with pytest.raises(RuntimeError, match="closed"):
        batcher.submit([6])


def test_jobs_from_many_threads_are_all_done():
    done = []
    batcher = Batcher(Engine(), done.extend, 8, lanes=2)

    def work(start):
        for number in range(start, start + 50):
            batcher.submit([number])

    threads = [threading.Thread(target=work, args=(100 * number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert batcher.close(10)
    assert sorted(done) == [(job, 2 * job) for start in range(0, 800, 100) for job in range(start, start + 50)]
