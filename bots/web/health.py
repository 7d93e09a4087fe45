"""Endpoints for operators: /healthz (the process lives), /readyz (photos would be captioned), /metrics."""

import asyncio
from collections.abc import Callable
from functools import partial

from celery import Celery  # type: ignore[import-untyped]
from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker

from bots.web.metrics import Metrics
from bots.web.probe import Probe
from db.photo_store import PhotoStore
from db.workers import alive

BROKER_TIMEOUT = 2  # seconds
OK = "ok"


def create_health(
    reading: sessionmaker[Session], check_broker: Callable[[], None], store: PhotoStore, metrics: Metrics
) -> APIRouter:
    """The router of these endpoints. check_broker: raises an error if the broker does not answer."""
    router = APIRouter(include_in_schema=False)

    @router.get("/healthz")
    def healthz() -> dict[str, str]:
        return {"status": OK}

    probes = {
        "database": Probe("check-database", partial(_check_database_and_model, reading)),
        "broker": Probe("check-broker", lambda: {"broker": _result(check_broker)}),
        "photos": Probe("check-photos", lambda: {"photos": store.state().value}),
    }

    @router.get("/readyz")
    async def readyz(response: Response) -> dict[str, str]:
        """200 if a photo that is sent now will be captioned, otherwise 503 with what is wrong."""
        checks: dict[str, str] = {}
        for found in await asyncio.gather(*(_within_time(name, probe) for name, probe in probes.items())):
            checks |= found
        response.status_code = 200 if all(result == OK for result in checks.values()) else 503
        return checks

    @router.get("/metrics")
    def prometheus() -> Response:
        return Response(metrics.text(), media_type=CONTENT_TYPE_LATEST)

    return router


async def _within_time(name: str, probe: Probe[dict[str, str]]) -> dict[str, str]:
    try:
        return await probe.result()
    except Exception as error:
        return {name: _failure(error)}


def _check_database_and_model(reading: sessionmaker[Session]) -> dict[str, str]:
    try:
        with reading() as session:
            loaded = any(worker.versions for worker in alive(session))
    except SQLAlchemyError as error:
        return {"database": _failure(error), "model": "unknown"}
    return {"database": OK, "model": OK if loaded else "no worker that has loaded one was seen lately"}


def _result(check: Callable[[], None]) -> str:
    try:
        check()
    except Exception as error:  # client libraries raise errors of many types
        return _failure(error)
    return OK


def broker_check(app: Celery) -> Callable[[], None]:
    """A function that raises an error if the broker of this Celery app does not answer, or takes no messages.

    Redis may answer and refuse writes, while it is a replica or its snapshots fail.
    """

    def check() -> None:
        with app.connection_for_read(connect_timeout=BROKER_TIMEOUT) as connection:
            connection.ensure_connection(max_retries=1, timeout=BROKER_TIMEOUT)
            if connection.transport.driver_type == "redis":
                connection.default_channel.client.delete("readyz")  # a write that leaves nothing behind

    return check


def _failure(error: Exception) -> str:
    """The type of the error, without its message: that may contain a URL with a password."""
    return f"does not answer ({type(error).__name__})"
