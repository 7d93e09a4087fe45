"""How much may come from one address. Who throws the cookie away is a new person, but still at the same address."""

import ipaddress
import re
from collections.abc import Callable

from fastapi import Request

from bots.limits import Limits
from settings import Settings

SHARED_BY = 10  # people of whom each may send as much as RATE_LIMIT says: a home, an office, a proxy that hides them


def address_limit(settings: Settings) -> Callable[[Request], None]:
    """A dependency: counts one photo of the caller's address. Raises TooManyRequests."""
    rates = re.sub(r"\d+(?=/)", lambda amount: str(SHARED_BY * int(amount[0])), settings.rate_limit)
    limits = Limits(rates, settings.redis_url, settings.key_prefix)

    def spend(request: Request) -> None:
        if request.client is not None:  # None: through a Unix socket
            limits.spend(f"address:{network(request.client.host)}")

    return spend


def network(host: str) -> str:
    """What one customer of a provider has: an IPv4 address, or the first half of an IPv6 address."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv6Address):
        return str(address.ipv4_mapped or ipaddress.ip_network(f"{address}/64", strict=False))
    return host
