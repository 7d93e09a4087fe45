"""A rate limit for each IP address. Whoever deletes the cookie is a new person, but keeps the address."""

import re
from collections.abc import Callable

from fastapi import Request

from bots.http.connections import network
from bots.service.rate_limits import RateLimits
from settings import Settings

PEOPLE_PER_ADDRESS = 10  # an address may send as much as so many people: a household, an office, a proxy


def address_limit(settings: Settings) -> Callable[[Request], None]:
    """A dependency that counts one photo for the client's address. It raises TooManyRequests."""
    rates = re.sub(r"\d+(?=/)", lambda amount: str(PEOPLE_PER_ADDRESS * int(amount[0])), settings.rate_limit)
    limits = RateLimits(rates, settings.redis_url, settings.key_prefix)

    def count_request(request: Request) -> None:
        if request.client is not None:  # None: the connection came through a Unix socket
            limits.hit(f"address:{network(request.client.host)}")

    return count_request
