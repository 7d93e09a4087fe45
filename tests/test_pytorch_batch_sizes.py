"""Sizes of PyTorch's batches: buckets, and what happens when memory runs out."""

import pytest
import torch

from model.pytorch.batch_sizes import BatchSizes, is_out_of_memory


def test_a_batch_runs_in_the_smallest_bucket_that_holds_it():
    batches = BatchSizes(256, padded=True)
    assert batches.sizes == [1, 2, 4, 8, 16, 32, 64, 128, 256]
    assert [batches.bucket(photos) for photos in (1, 2, 3, 5, 64, 65, 256)] == [1, 2, 4, 8, 64, 128, 256]


def test_the_largest_bucket_is_what_memory_allows():
    batches = BatchSizes(48, padded=True)
    assert batches.sizes == [1, 2, 4, 8, 16, 32, 48]
    assert batches.bucket(33) == 48


def test_without_padding_every_size_is_its_own_bucket():
    assert [BatchSizes(32, padded=False).bucket(photos) for photos in (1, 3, 32)] == [1, 3, 32]


def test_a_batch_of_nothing_is_refused():
    with pytest.raises(ValueError, match="at least one photo"):
        BatchSizes(0, padded=True)


def doubled(batches: BatchSizes, memory: int, tried: list[int]):
    """Work that doubles numbers, in parts of `largest`, and has memory for only so many of them."""

    def work(left):
        for start in range(0, len(left), batches.largest):
            part = left[start : start + batches.largest]
            tried.append(len(part))
            if len(part) > memory:
                raise torch.OutOfMemoryError("CUDA out of memory.")
            yield [2 * number for number in part]

    return work


def test_out_of_memory_halves_the_batch_and_goes_on():
    batches, tried = BatchSizes(16, padded=True), []
    assert batches.run(doubled(batches, 5, tried), range(21)) == [2 * number for number in range(21)]
    assert tried == [16, 8, 4, 4, 4, 4, 4, 1]
    assert batches.largest == 4


def test_the_next_batch_begins_with_what_memory_allowed():
    batches, tried = BatchSizes(16, padded=True), []
    batches.run(doubled(batches, 5, tried), range(16))
    tried.clear()
    batches.run(doubled(batches, 5, tried), range(9))
    assert tried == [4, 4, 1]


def test_what_was_found_before_memory_ran_out_is_not_worked_on_again():
    batches, seen = BatchSizes(2, padded=False), []

    def work(left):
        for number in left:
            seen.append(number)
            if seen == [0, 1, 2]:
                raise MemoryError
            yield [number]

    assert batches.run(work, range(4)) == [0, 1, 2, 3]
    assert seen == [0, 1, 2, 2, 3]


def test_a_lone_photo_that_is_too_much_is_an_error():
    batches = BatchSizes(4, padded=True)
    with pytest.raises(torch.OutOfMemoryError):
        batches.run(doubled(batches, 0, []), range(3))


def test_other_errors_are_not_about_memory():
    batches, tried = BatchSizes(4, padded=True), []

    def work(left):
        tried.append(len(left))
        raise RuntimeError("the cable is out")
        yield

    with pytest.raises(RuntimeError, match="cable"):
        batches.run(work, range(4))
    assert tried == [4]


def test_the_allocator_of_the_cpu_is_understood():
    with pytest.raises(RuntimeError) as raised:
        torch.empty(1 << 60, dtype=torch.uint8)
    assert is_out_of_memory(raised.value)
