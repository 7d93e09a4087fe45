"""For those who run it: /healthz (this process lives), /readyz (photos would be captioned), /metrics."""

from collections.abc import Callable

from celery import Celery  # type: ignore[import-untyped]
from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker

from bots.metrics import ALIVE, Metrics
from db.workers import alive

PATIENCE = 2  # seconds that a broker has to answer
OK = "ok"


def create_health(reading: sessionmaker[Session], broker: Callable[[], None], metrics: Metrics) -> APIRouter:
    """broker: raises what keeps the broker from answering."""
    health = APIRouter(include_in_schema=False)

    @health.get("/healthz")
    def healthz() -> dict[str, str]:
        return {"status": OK}

    @health.get("/readyz")
    def readyz(response: Response) -> dict[str, str]:
        """200 when a photo that is sent now will be captioned, else 503 and what keeps it from being so."""
        parts = _database_and_model(reading) | {"broker": _answers(broker)}
        response.status_code = 200 if all(part == OK for part in parts.values()) else 503
        return parts

    @health.get("/metrics")
    def figures() -> Response:
        return Response(metrics.text(), media_type=CONTENT_TYPE_LATEST)

    return health


def _database_and_model(reading: sessionmaker[Session]) -> dict[str, str]:
    try:
        with reading() as session:
            loaded = any(worker.versions for worker in alive(session, ALIVE))
    except SQLAlchemyError as error:
        return {"database": _line(error), "model": "unknown"}
    return {"database": OK, "model": OK if loaded else "no worker that has loaded one was seen lately"}


def _answers(broker: Callable[[], None]) -> str:
    try:
        broker()
    except Exception as error:  # whatever a client library raises
        return _line(error)
    return OK


def broker_of(app: Celery) -> Callable[[], None]:
    """A question to the broker of this app."""

    def ask() -> None:
        with app.connection_for_read(connect_timeout=PATIENCE) as connection:
            connection.ensure_connection(max_retries=1, timeout=PATIENCE)

    return ask


def _line(error: Exception) -> str:
    """Not all of it: what a library says of a URL may hold a password."""
    return f"does not answer ({type(error).__name__})"
