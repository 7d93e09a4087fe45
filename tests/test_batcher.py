import threading
from concurrent.futures import wait

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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
    """Submit a first job, and all others while the engine is busy with it. Outcomes, None for what failed."""
    engine.free.clear()
    batcher = Batcher(engine, max_batch, key=key)
    futures = [batcher.submit(jobs[0])]
    assert engine.busy.wait(10)
    futures += [batcher.submit(job) for job in jobs[1:]]
    engine.free.set()
    wait(futures, timeout=10)
    batcher.close(10)
    return [None if future.exception() else future.result() for future in futures]


numbers = st.lists(st.integers(0, 20), min_size=1, max_size=40)


@given(jobs=numbers, max_batch=st.integers(1, 9), bad=st.sets(st.integers(0, 20), max_size=4))
@settings(deadline=None, max_examples=60)
def test_every_job_gets_its_own_outcome_and_only_bad_ones_fail(jobs, max_batch, bad):
    assert run(Engine(bad), jobs, max_batch) == [None if job in bad else 2 * job for job in jobs]


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
    batcher = Batcher(Engine(), 16)
    assert batcher.submit(21).result(timeout=10) == 42
    batcher.close(10)


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
    assert run(engine, [0, 1, 2, 3], 16) == [0, 2, None, 6]
    assert engine.batches == [[0], [1, 2, 3], [1], [2], [3]]


def test_a_failed_job_raises_what_the_engine_raised():
    batcher = Batcher(Engine(bad=[5]), 16)
    with pytest.raises(ValueError, match="cannot take"):
        batcher.submit(5).result(timeout=10)
    batcher.close(10)


def test_an_engine_that_gives_too_few_outcomes_fails_its_jobs():
    batcher = Batcher(lambda jobs: [], 16)
    with pytest.raises(RuntimeError, match="1 jobs gave 0 outcomes"):
        batcher.submit(1).result(timeout=10)
    batcher.close(10)


def test_it_is_known_how_long_a_batch_has_been_running():
    engine = Engine(held=True)
    batcher = Batcher(engine, 2)
    assert batcher.busy_seconds() == 0
    future = batcher.submit(1)
    assert engine.busy.wait(10)
    assert 0 < batcher.busy_seconds() < 10
    engine.free.set()
    future.result(timeout=10)
    batcher.close(10)
    assert batcher.busy_seconds() == 0


def test_lanes_run_side_by_side_and_the_second_of_three_joins_for_half_a_batch_or_more():
    engine = Engine(held=True)
    batcher = Batcher(engine, 4, lanes=3)
    futures = [batcher.submit(0)]
    assert engine.busy.wait(10)
    engine.busy.clear()
    futures.append(batcher.submit(1))
    assert not engine.busy.wait(0.2)  # one job is not worth a batch of its own while another runs
    futures.append(batcher.submit(2))
    assert engine.busy.wait(10)
    engine.busy.clear()
    futures += [batcher.submit(job) for job in (3, 4, 5)]
    assert not engine.busy.wait(0.2)  # the third joins for a whole one
    futures.append(batcher.submit(6))
    assert engine.busy.wait(10)
    assert batcher.busy_seconds() > 0.2
    engine.free.set()
    assert [future.result(10) for future in futures] == [0, 2, 4, 6, 8, 10, 12]
    assert sorted(engine.batches) == [[0], [1, 2], [3, 4, 5, 6]]
    batcher.close(10)
    assert batcher.busy_seconds() == 0


def test_closing_finishes_what_waits_and_takes_no_more():
    engine = Engine(held=True)
    batcher = Batcher(engine, 2)
    futures = [batcher.submit(job) for job in range(5)]
    threading.Timer(0.05, engine.free.set).start()
    batcher.close(10)
    assert [future.result(timeout=0) for future in futures] == [0, 2, 4, 6, 8]
    with pytest.raises(RuntimeError, match="closed"):
        batcher.submit(6)


def test_jobs_from_many_threads_are_all_done():
    batcher = Batcher(Engine(), 8)
    done = []

    def work(start):
        for number in range(start, start + 50):
            done.append((number, batcher.submit(number).result(timeout=10)))

    threads = [threading.Thread(target=work, args=(100 * number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    batcher.close(10)
    assert len(done) == 400
    assert all(outcome == 2 * number for number, outcome in done)
