"""Tests of hash buckets: stored data depends on them, so they must never change."""

import hashlib

from db.hash_buckets import bucket


def test_buckets_never_change():
    digest = hashlib.sha256(b"canary:telegram:1").hexdigest()
    assert bucket("telegram:1", 100, salt="canary") == int(digest[:16], 16) % 100 == 93


def test_keys_spread_evenly_and_salts_split_independently():
    keys = [f"telegram:{number}" for number in range(2000)]
    first = [bucket(key, 10, salt="held out") == 0 for key in keys]
    second = [bucket(key, 10, salt="canary") == 0 for key in keys]
    assert 150 < sum(first) < 250
    assert 150 < sum(second) < 250
    assert sum(one and other for one, other in zip(first, second, strict=True)) < 50
