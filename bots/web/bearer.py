"""Programs are known by a key in the header Authorization: Bearer, instead of a cookie."""

from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from bots.errors import WrongKey
from bots.http.connections import network
from bots.service.api_keys import ApiKeys
from bots.service.rate_limits import RateLimits
from settings import Settings

WRONG_KEYS = "20/minute"  # of an address

Credentials = Annotated[
    HTTPAuthorizationCredentials | None,
    # Other schemes are a proxy's: they are ignored.
    Depends(HTTPBearer(auto_error=False, description="A key of `captionbot key new`, instead of the cookie.")),
]


class BearerKeys:
    """Finds out whom a key stands for, and limits how many wrong ones an address may try."""

    def __init__(self, keys: ApiKeys, settings: Settings):
        self._keys = keys
        self._wrong = RateLimits(WRONG_KEYS, settings.redis_url, settings.key_prefix)

    def person(self, request: Request, credentials: HTTPAuthorizationCredentials) -> str:
        """The person that the key of a request acts as.

        Raises:
            WrongKey: there is no such key.
            TooManyRequests: the address has tried too many that do not exist.
        """
        person = self._keys.person_of(credentials.credentials)
        if person is None:
            if request.client is not None:
                self._wrong.hit(f"wrong-key:{network(request.client.host)}")
            raise WrongKey
        return person
