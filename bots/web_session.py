"""Who is asking: an anonymous person, known by a signed cookie; and whether their own page is asking.

A browser sends the cookie with whatever makes it call us, so a call that changes something must come from our own
origin. Browsers say where a call comes from, and programs, which carry no one else's cookies, say nothing.
"""

import secrets
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, HTTPException, Request, Response
from itsdangerous import BadSignature, TimestampSigner

COOKIE = "captionbot"
YEAR = 365 * 86400  # seconds a cookie lives after it was last renewed
RENEW = 86400  # seconds after which a cookie is renewed
SAFE = ("GET", "HEAD", "OPTIONS")


class Sessions:
    """Makes and reads the cookies."""

    def __init__(self, key: str):
        self._signer = TimestampSigner(key, salt="captionbot.session")

    def person(self, request: Request, response: Response) -> str:
        """The key of who is asking, "web:RANDOM". Somebody new gets a cookie, an old cookie is renewed."""
        try:
            signed, since = self._signer.unsign(request.cookies.get(COOKIE, ""), max_age=YEAR, return_timestamp=True)
            session, age = signed.decode(), self._signer.get_timestamp() - int(since.timestamp())
        except BadSignature:  # none, of another key, or changed
            session, age = secrets.token_urlsafe(16), RENEW
        if age >= RENEW:
            response.set_cookie(
                COOKIE,
                self._signer.sign(session).decode(),
                max_age=YEAR,
                httponly=True,
                samesite="lax",
                secure=request.url.scheme == "https",
            )
        return f"web:{session}"


def person(request: Request, response: Response) -> str:
    """The same, for an endpoint: `person: Person`."""
    sessions: Sessions = request.app.state.sessions
    return sessions.person(request, response)


Person = Annotated[str, Depends(person)]


def same_origin(request: Request) -> None:
    """Refuse what another site made a browser send. Raises HTTPException."""
    if request.method in SAFE:
        return
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    # Only the host is compared: behind a proxy that ends https we may not know the scheme that the browser sees.
    foreign = site not in ("same-origin", "none") if site else origin and urlsplit(origin).netloc != request.url.netloc
    if foreign:
        raise HTTPException(403, "This call came from another site.")
