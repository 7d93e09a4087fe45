"""Splits people, chats and photos into groups of which each always stays in its own."""

import hashlib


def bucket(key: str, buckets: int, *, salt: str) -> int:
    """The bucket of a key, from 0 to `buckets` - 1: always the same one. Different salts split independently."""
    return int.from_bytes(hashlib.sha256(f"{salt}:{key}".encode()).digest()[:8]) % buckets
