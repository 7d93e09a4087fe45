"""Who sends a request: an anonymous session in a signed cookie, or a program. Protection against cross-site requests.

A browser sends the cookie with every request to us, also with one that another site made it send. So a request that
changes something must come from our own origin. Browsers state the origin; other clients state nothing, but they carry
nobody else's cookie either. A browser never sends a program's key of its own accord, so with a key the origin does not
matter; and with a key, right or wrong, the cookie does not count.
"""

import secrets
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
    """Issues, renews and verifies session cookies. root_path: the path of the host below which the site lies."""

    def __init__(self, secret_key: str, root_path: str = ""):
        self._path = cookie_path(root_path)
        self._signer = TimestampSigner(secret_key, salt="captionbot.session")

    def person(self, request: Request, response: Response) -> str:
        """The key of the person who sends a request. Sets the cookie for a new person, and renews an old one."""
        try:
            signed, since = self._signer.unsign(request.cookies.get(COOKIE, ""), max_age=MAX_AGE, return_timestamp=True)
            session_id, age = signed.decode(), self._signer.get_timestamp() - int(since.timestamp())
        except BadSignature:  # no cookie, one that was changed, or one signed with another key
            session_id, age = secrets.token_urlsafe(16), RENEW_AFTER
        if age >= RENEW_AFTER:
            response.set_cookie(
                COOKIE,
                self._signer.sign(session_id).decode(),
                max_age=MAX_AGE,
                path=self._path,
                httponly=True,
                samesite="lax",
                secure=request.url.scheme == "https",
            )
        return person_key(session_id)


def person(request: Request, response: Response, credentials: Credentials) -> str:
    """A dependency of endpoints: `person: Person` is the key of the person who sends the request.

    Raises:
        HTTPException, TooManyRequests: see `BearerKeys.person`.
    """
    if credentials is not None:
        keys: BearerKeys = request.app.state.bearer_keys
        return keys.person(request, credentials)
    sessions: Sessions = request.app.state.sessions
    return sessions.person(request, response)


Person = Annotated[str, Depends(person)]


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
