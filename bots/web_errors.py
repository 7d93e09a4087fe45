"""What a call that failed is answered: a status, a sentence for people, a reason for programs, when to come back."""

import logging
import math
import re
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import InterfaceError, OperationalError
from starlette.exceptions import HTTPException

from bots import errors
from bots.texts import say
from bots.web_language import language_of

log = logging.getLogger(__name__)

AWAY = 10.0  # seconds after which a database that did not answer may be asked again

# The first that an error is one of.
STATUS: tuple[tuple[type[errors.UserError], int], ...] = (
    (errors.EmptyFile, 422),
    (errors.BrokenPhoto, 422),
    (errors.UnreadablePhoto, 415),
    (errors.PhotoTooLarge, 413),
    (errors.PhotoGone, 410),
    (errors.NotFound, 404),
    (errors.NotReady, 409),
    (errors.NotAllowed, 403),
    (errors.BadText, 422),
    (errors.TooManyRequests, 429),
    (errors.Later, 503),
    (errors.UserError, 400),
)


def handle_errors(site: FastAPI) -> None:
    """Every answer that is no success is a web_models.Problem."""
    site.add_exception_handler(errors.UserError, _user_error)  # type: ignore[arg-type]
    site.add_exception_handler(HTTPException, _http_error)  # type: ignore[arg-type]
    site.add_exception_handler(RequestValidationError, _wrong_call)  # type: ignore[arg-type]
    site.add_exception_handler(OperationalError, _no_database)  # type: ignore[arg-type]
    site.add_exception_handler(InterfaceError, _no_database)  # type: ignore[arg-type]
    site.add_exception_handler(Exception, _our_fault)


async def _user_error(request: Request, error: errors.UserError) -> JSONResponse:
    status = next(status for kind, status in STATUS if isinstance(error, kind))
    headers = {"Retry-After": str(math.ceil(error.retry_after))} if isinstance(error, errors.Later) else None
    return _problem(status, error.said(language_of(request)), type(error).__name__, headers)


async def _http_error(request: Request, error: HTTPException) -> JSONResponse:
    return _problem(error.status_code, error.detail, HTTPStatus(error.status_code).name, error.headers)


async def _wrong_call(request: Request, error: RequestValidationError) -> JSONResponse:
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    return _problem(422, f"{where}: {first['msg']}", "WrongCall")


async def _no_database(request: Request, error: OperationalError | InterfaceError) -> JSONResponse:
    """It is away, locked for too long, or its disk is full: all of which passes."""
    log.warning("the database does not answer: %s", " ".join(str(error.orig).split())[:200])
    return await _user_error(request, errors.Later(retry_after=AWAY))


async def _our_fault(request: Request, error: Exception) -> JSONResponse:
    """The traceback is logged by who calls us."""
    request.app.state.metrics.faults.inc()
    return _problem(500, say(language_of(request), "web.broken"), "OurFault")


def _problem(status: int, detail: str, name: str, headers: object = None) -> JSONResponse:
    reason = re.sub(r"(?<=[a-z])(?=[A-Z])|_", "-", name).lower()
    return JSONResponse({"detail": detail, "reason": reason}, status, headers=headers)  # type: ignore[arg-type]
