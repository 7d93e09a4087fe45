"""How long a search takes among many captions: `python -m tests.search_speed [URL of PostgreSQL's server]`.

Makes a database of SQLite and one of PostgreSQL with 100,000 captions of 1,000 people, one of whom has a tenth of them.
Each query is what the page asks for: 24 captions with their votes and corrections. It must find exactly the captions of
that person whose words begin so, and none of anybody else.
"""

import random
import secrets
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median, quantiles

import psycopg
from sqlalchemy import Engine, insert, select, text

from bots.service.base import Backend
from bots.service.captions import Captions
from bots.service.rate_limits import RateLimits
from db import caption_search
from db.caption_search import words
from db.engine import create_engine, reading, sessions
from db.photo_store import PhotoStore
from db.schema import migrate
from db.tables import Caption, Person, Photo, State, now
from tests.support.database import SERVER

CAPTIONS, PEOPLE, QUERIES, LIMIT = 100_000, 1000, 1000, 24
WHO = ("dog", "cat", "man in a red shirt", "woman with an umbrella", "child", "group of people", "horse", "bus")
WHAT = ("is running", "is standing", "is sitting", "jumps", "looks out of a window", "plays with a ball", "sleeps")
WHERE = ("on a beach", "in the snow", "in front of a building", "on a wooden table", "on a green field", "in a kitchen")
TYPED = (
    "dog",
    "do",
    "d",
    "a",
    "a dog",
    "cat sl",
    "red shirt beach",
    "window",
    "umbr",
    "people kitchen",
    "rare",
    "zebra",
)


def fill(engine: Engine, chance: random.Random) -> dict[int, list[tuple[str, str]]]:
    """Insert the captions. Returns public ids and sentences, newest first, by the person's row id."""
    made: dict[int, list[tuple[str, str]]] = {person: [] for person in range(1, PEOPLE + 1)}
    rows = []
    for number in range(1, CAPTIONS + 1):
        person = 1 if number % 10 == 0 else chance.randint(2, PEOPLE)
        sentence = f"A {chance.choice(WHO)} {chance.choice(WHAT)} {chance.choice(WHERE)}."
        sentence += " Rarely seen." if chance.random() < 0.001 else ""
        rows.append(
            {"id": number, "public_id": f"{number:022}", "photo_id": number, "person_id": person, "text": sentence}
        )
        made[person].insert(0, (f"{number:022}", sentence))
    with engine.begin() as connection:
        connection.execute(insert(Person), [{"id": person, "key": f"web:{person}"} for person in made])
        photo = {"width": 40, "height": 30, "bytes": 900}
        connection.execute(insert(Photo), [photo | {"id": row["id"], "sha256": f"{row['id']:064}"} for row in rows])
        shared = {"front_end": "web", "state": State.DONE, "finished_at": now()}
        for start in range(0, CAPTIONS, 10_000):
            connection.execute(insert(Caption), [row | shared for row in rows[start : start + 10_000]])
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("ANALYZE"))
    return made


def expected(captions: list[tuple[str, str]], query: str) -> list[str]:
    """The public ids that a search must find."""
    wanted = words(query)
    found = (
        id for id, said in captions if all(any(one.startswith(word) for one in said.lower().split()) for word in wanted)
    )
    return [id for id, _ in zip(found, range(LIMIT), strict=False)]


def measure(engine: Engine, folder: Path) -> str:
    """Fill the database, search, compare, and return a line of figures in milliseconds."""
    chance = random.Random(1)
    made = fill(engine, chance)
    captions = Captions(Backend(engine, PhotoStore(str(folder)), lambda row: None, RateLimits("1/second")))
    captions_only = reading(engine)
    times, alone = [], []
    for number in range(QUERIES):
        person, query = 1 if number % 4 == 0 else chance.randint(2, PEOPLE), TYPED[number % len(TYPED)]
        began = time.perf_counter()
        views = captions.of_person(f"web:{person}", LIMIT, search=query)
        times.append(1000 * (time.perf_counter() - began))
        with captions_only() as session:
            began = time.perf_counter()
            caption_search.find(session, person, query, LIMIT)
            alone.append(1000 * (time.perf_counter() - began))
        assert [view.id for view in views] == expected(made[person], query), (person, query)
        assert {view.sender for view in views} <= {f"web:{person}"}
    with sessions(engine)() as session:
        assert session.scalar(select(text("count(*)")).select_from(text("caption_search"))) == CAPTIONS
    return f"the page's answer {figures(times)}; the query alone {figures(alone)}"


def figures(times: list[float]) -> str:
    return f"median {median(times):.1f}, 95 % below {quantiles(times, n=20)[-1]:.1f}, slowest {max(times):.1f}"


@contextmanager
def postgresql(server: str) -> Iterator[str]:
    """A database of its own, dropped in the end."""
    name = f"captionbot_search_{secrets.token_hex(4)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        yield server.rpartition("/")[0] + f"/{name}"
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def main(server: str) -> None:
    with tempfile.TemporaryDirectory() as name, postgresql(server) as url:
        for address in (f"sqlite:///{name}/test.db", url):
            engine = create_engine(address)
            migrate(engine)
            line = measure(engine, Path(name))
            print(f"{engine.dialect.name}: {QUERIES} searches, milliseconds: {line}")
            engine.dispose()


if __name__ == "__main__":
    main(*sys.argv[1:] or [SERVER])
