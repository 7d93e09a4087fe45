"""Builds the keys of people and requests of the web front-end.

    web:SESSION        a person: the random session id in the signed cookie
    key:RANDOM         a program, whose API key has this person; see bots/service/api_keys.py
    web:SESSION/KEY    a request, by the Idempotency-Key that the client chose; an album, by the name that it chose

They are stored in the database, so their form cannot change.
"""

FRONT_END = "web"


def person_key(session_id: str) -> str:
    return f"{FRONT_END}:{session_id}"


def source_key(person: str, idempotency_key: str | None) -> str | None:
    """The unique key of a request for a caption; None without an idempotency key."""
    return f"{person}/{idempotency_key}" if idempotency_key else None


def album_key(person: str, album: str | None) -> str | None:
    """The key of photos that a person sent together; None for a single photo."""
    return f"{person}/{album}" if album else None


def album_name(key: str | None) -> str | None:
    """The name that the client chose for an album."""
    return key.rpartition("/")[2] if key else None
