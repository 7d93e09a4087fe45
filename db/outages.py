"""Tells errors of a database that is away for now from mistakes: by code, not by an exception's class.

The same outage comes as many classes. While PostgreSQL fails over, a write fails with "read-only transaction", which
is an InternalError; a transaction that begins to write on a standby fails as NotSupportedError.
"""

import sqlite3

from sqlalchemy import exc

from db.outage_log import OutageLog

POSTGRESQL_CLASSES = (  # the first two characters of an SQLSTATE
    *("08", "53", "58"),  # the connection, resources such as memory and disk, the operating system
    *("28", "3D"),  # neither user nor database are known there, for example while a server is restored
)
POSTGRESQL_CODES = {
    *(
        "25006",
        "0A000",
        "25P03",
        "25P04",
    ),  # a standby takes no writes, nor begins to write; a transaction took too long
    *("26000", "57P01", "57P02", "57P03", "57P05"),  # a prepared statement of another server; shut down, starting up
    *("57014", "55P03", "40001", "40P01"),  # cancelled, locked for too long, in conflict with others or with recovery
}
# After these the connection is of no use: the same address, or another one of the URL, may lead to the new primary.
STANDBY_CODES = {"25006", "0A000", "26000"}
SQLITE_CODES = {
    *(sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL, sqlite3.SQLITE_INTERRUPT),
    *(sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_NOMEM),
    *(sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN),
}

database_outages = OutageLog("the database", "photos stay and what needs it waits")


def is_outage(error: BaseException | None) -> bool:
    """Whether this is an error of the database that passes by itself or is the operator's to mend."""
    if isinstance(error, exc.TimeoutError):  # all connections of the pool are in use
        return True
    if not isinstance(error, exc.DBAPIError):
        return False
    original = error.orig
    if isinstance(original, sqlite3.Error):
        code = getattr(original, "sqlite_errorcode", None)  # the lowest byte is the primary code
        return code is not None and code & 0xFF in SQLITE_CODES
    if code := sqlstate(original):
        return code in POSTGRESQL_CODES or code.startswith(POSTGRESQL_CLASSES)
    return error.connection_invalidated or isinstance(error, (exc.OperationalError, exc.InterfaceError))


def noted(error: BaseException) -> bool:
    """Whether this is an outage. If it is, the log tells of it, once for the whole process and all that it meets."""
    if not is_outage(error):
        return False
    database_outages.failed(error)
    return True


def sqlstate(original: BaseException | None) -> str | None:
    """The code in an error of PostgreSQL; None if the server could not be asked, or of another database."""
    return getattr(original, "sqlstate", None)
