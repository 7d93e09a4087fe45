"""Leases in the database: one holder at a time, until they expire."""

from datetime import timedelta

from sqlalchemy.orm import Session

from db import leases

MINUTE = timedelta(minutes=1)


def test_a_lease_is_had_by_one_until_it_is_given_back(session: Session):
    assert leases.acquire(session, "upkeep", "a", MINUTE)
    assert not leases.acquire(session, "upkeep", "b", MINUTE)
    leases.release(session, "upkeep", "a")
    assert leases.acquire(session, "upkeep", "b", MINUTE)


def test_its_holder_can_take_it_again(session: Session):
    assert leases.acquire(session, "upkeep", "a", MINUTE)
    assert leases.acquire(session, "upkeep", "a", MINUTE)


def test_an_expired_lease_is_free(session: Session):
    assert leases.acquire(session, "upkeep", "a", -MINUTE)
    assert leases.acquire(session, "upkeep", "b", MINUTE)


def test_leases_of_other_names_are_apart(session: Session):
    assert leases.acquire(session, "upkeep", "a", MINUTE)
    assert leases.acquire(session, "learning", "b", MINUTE)


def test_who_lost_a_lease_cannot_give_it_back(session: Session):
    leases.acquire(session, "upkeep", "a", -MINUTE)
    leases.acquire(session, "upkeep", "b", MINUTE)
    leases.release(session, "upkeep", "a")
    assert not leases.acquire(session, "upkeep", "c", MINUTE)
