"""Whose votes are believed. Honest people here are right four times in five."""

import random
from datetime import UTC, datetime, timedelta

from db.voter_reliability import CastVote, reliability

START = datetime(2026, 1, 1, tzinfo=UTC)


def honest(people: int, captions: int, seed: int = 1) -> list[CastVote]:
    """Everybody votes on every caption, half of which are good, an hour apart."""
    draw = random.Random(seed)
    return [
        CastVote(person, caption, (1 if caption % 2 else -1) * (1 if draw.random() < 0.8 else -1), hour(caption))
        for person in range(people)
        for caption in range(captions)
    ]


def hour(number: int) -> datetime:
    return START + timedelta(hours=number)


def test_honest_people_are_believed():
    found = reliability(honest(6, 30))
    assert all(person.weight > 0.8 for person in found.values())


def test_somebody_who_voted_once_is_believed():
    found = reliability([CastVote(1, 1, -1, START)])
    assert found[1].weight == 1
    assert found[1].reasons == ()


def test_who_votes_against_all_others_counts_for_nothing():
    votes = honest(6, 30)
    against = [CastVote(99, caption, -1 if caption % 2 else 1, hour(caption)) for caption in range(30)]
    found = reliability([*votes, *against])
    assert found[99].weight < 0.05
    assert "agrees with others in" in found[99].reasons[0]


def test_a_few_who_lie_together_do_not_win_over_the_many():
    liars = [
        CastVote(90 + n, caption, -1 if caption % 2 else 1, hour(caption)) for n in range(3) for caption in range(30)
    ]
    found = reliability([*honest(7, 30), *liars])
    assert all(found[90 + n].weight < 0.1 for n in range(3))
    assert all(found[n].weight > 0.8 for n in range(7))


def test_one_way_voters_count_less():
    found = reliability([CastVote(1, caption, -1, hour(caption)) for caption in range(25)])
    assert found[1].weight == 0.2
    assert found[1].reasons == ("25 of 25 votes are thumbs down",)


def test_a_burst_of_votes_counts_less():
    burst = [CastVote(1, n, 1 if n % 2 else -1, START + timedelta(seconds=n)) for n in range(40)]
    calm = [CastVote(2, 100 + n, 1 if n % 2 else -1, hour(n)) for n in range(40)]
    found = reliability([*burst, *calm])
    assert found[1].weight == 0.2
    assert found[1].reasons == ("40 votes within a minute",)
    assert found[2].weight == 1


def test_nobody_s_votes_are_more_than_a_tenth_of_all():
    crowd = [CastVote(10 + n, 1000 + n, 1, START) for n in range(500)]
    masses = [CastVote(1, n, 1 if n % 2 else -1, hour(n)) for n in range(500)]
    found = reliability([*crowd, *masses])
    assert found[1].weight == 0.2  # 500 votes count as the 100 that a tenth of 1,000 are
    assert found[1].reasons == ("500 of all 1000 votes",)


def test_the_order_of_the_votes_does_not_matter():
    votes = honest(5, 20)
    assert reliability(votes) == reliability(votes[::-1])
