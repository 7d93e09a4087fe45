"""Who sends a request: an anonymous session in a signed cookie, or a program. Protection against cross-site requests.

A browser sends the cookie with every request to us, also with one that another site made it send. So a request that
changes something must come from our own origin. Browsers state the origin; other clients state nothing, but they carry
nobody else's cookie either. A browser never sends a program's key of its own accord, so with a key the origin does not
matter; and with a key, right or wrong, the cookie does not count.
"""

import secrets
from collections.abc import Callable
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, HTTPException, Request, Response
from itsdangerous import BadSignature, TimestampSigner

from bots.web.bearer import BearerKeys, Credentials
from bots.web.keys import person_key

COOKIE = "captionbot"
MAX_AGE = 365 * 86400  # seconds that a cookie is valid after it was last renewed
RENEW_AFTER = 86400  # seconds
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


def cookie_path(root_path: str) -> str:
    """The path of cookies: other applications of the same host do not get them."""
    return root_path or "/"


class Sessions:
    """Issues, renews and verifies session cookies.

    A cookie holds the random id of a session, and in a browser that joined another person's list SESSION~TOKEN. When it
    leaves that list, or is removed from it, it is the person of its session again.

    Args:
        root_path: the path of the host below which the site lies.
        person_of: the key of the person whose list a browser joined, by its token; None if it was removed.
    """

    def __init__(self, secret_key: str, root_path: str, person_of: Callable[[str], str | None]):
        self._path, self._person_of = cookie_path(root_path), person_of
        self._signer = TimestampSigner(secret_key, salt="captionbot.session")

    def person(self, request: Request, response: Response) -> str:
        """The key of the person who sends a request. Sets the cookie for a new person, and renews an old one."""
        session_id, token, age = self._read(request)
        joined = self._person_of(token) if token else None
        request.state.device_token = token if joined else None
        if age >= RENEW_AFTER or bool(token) != bool(joined):
            self._write(request, response, session_id, token if joined else "")
        return joined or person_key(session_id)

    def join(self, request: Request, response: Response, token: str) -> None:
        """Let this browser show the list that belongs to a token. Its own session is kept beside it."""
        self._write(request, response, self._read(request)[0], token)

    def leave(self, request: Request, response: Response) -> None:
        """Let this browser show the list of its own session again."""
        self._write(request, response, self._read(request)[0], "")

    def forget(self, request: Request, response: Response) -> None:
        """Delete the cookie, or leave the joined list: the browser's own session was not forgotten with it."""
        if device_token(request):
            self.leave(request, response)
        else:
            response.delete_cookie(COOKIE, path=self._path)

    def _read(self, request: Request) -> tuple[str, str, float]:
        """The session id, the token or "", and the age of the cookie in seconds. A new session if there is none."""
        try:
            signed, since = self._signer.unsign(request.cookies.get(COOKIE, ""), max_age=MAX_AGE, return_timestamp=True)
        except BadSignature:  # no cookie, one that was changed, or one signed with another key
            return secrets.token_urlsafe(16), "", RENEW_AFTER
        session_id, _, token = signed.decode().partition("~")
        return session_id, token, self._signer.get_timestamp() - int(since.timestamp())

    def _write(self, request: Request, response: Response, session_id: str, token: str) -> None:
        response.set_cookie(
            COOKIE,
            self._signer.sign(f"{session_id}~{token}" if token else session_id).decode(),
            max_age=MAX_AGE,
            path=self._path,
            httponly=True,
            samesite="lax",
            secure=request.url.scheme == "https",
        )


def person(request: Request, response: Response, credentials: Credentials) -> str:
    """A dependency of endpoints: `person: Person` is the key of the person who sends the request.

    Raises:
        WrongKey, TooManyRequests: see `BearerKeys.person`.
    """
    if credentials is not None:
        keys: BearerKeys = request.app.state.bearer_keys
        return keys.person(request, credentials)
    return sessions_of(request).person(request, response)


Person = Annotated[str, Depends(person)]


def sessions_of(request: Request) -> Sessions:
    """The sessions of the site that a request came to."""
    sessions: Sessions = request.app.state.sessions
    return sessions


def device_token(request: Request) -> str | None:
    """The token of a browser that joined another person's list; None in its own, and for programs with a key."""
    return getattr(request.state, "device_token", None)


def same_origin(request: Request, credentials: Credentials) -> None:
    """A dependency that rejects requests which another site made a browser send. Raises HTTPException."""
    if request.method in SAFE_METHODS or credentials is not None:
        return
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    # Only the host is compared: behind a proxy that terminates TLS we may not know the scheme that the browser uses.
    foreign = site not in ("same-origin", "none") if site else origin and urlsplit(origin).netloc != request.url.netloc
    if foreign:
        raise HTTPException(403, "This request came from another site.")
