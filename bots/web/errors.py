"""Error responses of the API: a status, a message for people, a reason for programs, and when to try again."""

import logging
import math
import re
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import DBAPIError, TimeoutError
from starlette.exceptions import HTTPException

from bots import errors
from bots.i18n import say
from bots.service.base import STORE_AWAY
from bots.web.language import language_of
from db.outages import noted
from db.store_state import StoreUnavailable

log = logging.getLogger(__name__)

KEY_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="captionbot", error="invalid_token"'}
DATABASE_RETRY = 10.0  # seconds that a client should wait when the database does not answer

# The first class that an error is an instance of decides.
STATUS: tuple[tuple[type[errors.UserError], int], ...] = (
    (errors.EmptyFile, 422),
    (errors.BrokenPhoto, 422),
    (errors.UnreadablePhoto, 415),
    (errors.PhotoTooLarge, 413),
    (errors.PhotoGone, 410),
    (errors.NotFound, 404),
    (errors.NotReady, 409),
    (errors.NoneLeft, 409),
    (errors.NotAllowed, 403),
    (errors.WrongKey, 401),
    (errors.BadText, 422),
    (errors.TooManyRequests, 429),
    (errors.TooManyWaiting, 429),
    (errors.Later, 503),
    (errors.UserError, 400),
)


def add_error_handlers(site: FastAPI) -> None:
    """Answer every error with the JSON of schemas.Problem."""
    site.add_exception_handler(errors.UserError, _user_error)  # type: ignore[arg-type]
    site.add_exception_handler(HTTPException, _http_error)  # type: ignore[arg-type]
    site.add_exception_handler(RequestValidationError, _validation_error)  # type: ignore[arg-type]
    site.add_exception_handler(DBAPIError, _database_error)  # type: ignore[arg-type]
    site.add_exception_handler(TimeoutError, _database_error)  # type: ignore[arg-type]
    site.add_exception_handler(StoreUnavailable, _store_error)  # type: ignore[arg-type]
    site.add_exception_handler(Exception, _internal_error)


def status_of(error: errors.UserError) -> int:
    """The HTTP status that says what kind of error it is."""
    return next(status for kind, status in STATUS if isinstance(error, kind))


async def _user_error(request: Request, error: errors.UserError) -> JSONResponse:
    headers = {"Retry-After": str(math.ceil(error.retry_after))} if isinstance(error, errors.Later) else {}
    if isinstance(error, errors.WrongKey):
        headers |= KEY_CHALLENGE
    return _problem(status_of(error), error.translated(language_of(request)), type(error).__name__, headers)


async def _http_error(request: Request, error: HTTPException) -> JSONResponse:
    return _problem(error.status_code, error.detail, HTTPStatus(error.status_code).name, error.headers)


async def _validation_error(request: Request, error: RequestValidationError) -> JSONResponse:
    first = error.errors()[0]
    location = ".".join(str(part) for part in first["loc"])
    return _problem(422, f"{location}: {first['msg']}", "WrongCall")


async def _database_error(request: Request, error: DBAPIError | TimeoutError) -> JSONResponse:
    """The database is down, a standby, locked for too long, or has no disk space: trying again later may succeed."""
    if not noted(error):
        raise error
    return await _user_error(request, errors.Later(retry_after=DATABASE_RETRY))


async def _store_error(request: Request, error: StoreUnavailable) -> JSONResponse:
    log.warning("the photo store is %s: %s", error.state, errors.one_line(error))
    return await _user_error(request, errors.StorageUnavailable(retry_after=STORE_AWAY))


async def _internal_error(request: Request, error: Exception) -> JSONResponse:
    """An error of ours. Starlette raises it again after this response, so the server logs the traceback."""
    request.app.state.metrics.faults.inc()
    return _problem(500, say(language_of(request), "web.broken"), "OurFault")


def _problem(status: int, detail: str, name: str, headers: object = None) -> JSONResponse:
    """name: of the error, in camel case or upper case; as `reason` it becomes kebab-case."""
    reason = re.sub(r"(?<=[a-z])(?=[A-Z])|_", "-", name).lower()
    return JSONResponse({"detail": detail, "reason": reason}, status, headers=headers)  # type: ignore[arg-type]
