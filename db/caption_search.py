"""Search over the captions of one person: FTS5 on SQLite, a tsvector with a GIN index on PostgreSQL.

Triggers keep the index up to date, see migrations/versions/0006_caption_search.py. Its entry of a caption holds the
sentence and what the owner wrote instead. Every word that is searched for is the beginning of one there, so that
"dog be" finds "Two dogs on a beach." while somebody types.
"""

import re
import unicodedata

from sqlalchemy import text
from sqlalchemy.orm import Session

MAX_WORDS, MAX_LENGTH = 10, 500  # words and characters of a query; what is longer is cut
COMBINING = re.compile("[\u0300-\u036f]")  # accents, once letters are decomposed

SQLITE = text(
    "SELECT rowid FROM caption_search WHERE caption_search MATCH :match AND rowid < :before "
    "ORDER BY rowid DESC LIMIT :limit"
)
POSTGRESQL = text(
    "SELECT caption_id FROM caption_search WHERE person_id = :person AND words @@ CAST(:match AS tsquery) "
    "AND caption_id < :before ORDER BY caption_id DESC LIMIT :limit"
)
NO_ROW_YET = 2**31 - 1


def is_search_table(name: str | None) -> bool:
    """Whether a table belongs to the index, and not to the tables in tables.py."""
    return (name or "").startswith("caption_search")


def words(query: str) -> list[str]:
    """The words of a query as they are in the index: small letters without accents."""
    folded = COMBINING.sub("", unicodedata.normalize("NFKD", query)).lower()[:MAX_LENGTH]
    return re.findall(r"[^\W_]+", folded)[:MAX_WORDS]


def find(session: Session, person_id: int, query: str, limit: int, before: int | None = None) -> list[int]:
    """Row ids of a person's captions that contain all words of a query, newest first.

    Args:
        before: row id of the last caption of the previous page; None for the first page.
    """
    wanted = words(query)
    if not wanted:
        return []
    values = {"limit": limit, "before": NO_ROW_YET if before is None else before}
    if session.get_bind().dialect.name == "sqlite":
        beginnings = " AND ".join(f'"{word}"*' for word in wanted)
        found = session.scalars(SQLITE, values | {"match": f'person : "p{person_id}" AND words : ({beginnings})'})
    else:
        beginnings = " & ".join(f"'{word}':*" for word in wanted)
        found = session.scalars(POSTGRESQL, values | {"person": person_id, "match": beginnings})
    return list(found)


def clean(session: Session) -> bool:
    """Remove deleted words from the files of FTS5's index, if there are any. Returns whether there were.

    PostgreSQL's autovacuum does that by itself.
    """
    if session.get_bind().dialect.name != "sqlite":
        return False
    if not session.scalar(text("SELECT stale FROM caption_search_state")):
        return False
    session.execute(text("INSERT INTO caption_search (caption_search) VALUES ('optimize')"))
    session.execute(text("UPDATE caption_search_state SET stale = 0"))
    return True
