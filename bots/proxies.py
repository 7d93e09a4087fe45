"""The proxy that the environment names for a URL: HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY; where there are system
settings, those. The libraries of the platforms would read them differently, or not at all.
"""

from urllib.request import getproxies, proxy_bypass

import yarl


def proxy_of(url: str) -> str | None:
    """The proxy for requests to a URL, perhaps with a user and password; None for a direct connection."""
    address, proxies = yarl.URL(url, encoded=True), getproxies()
    scheme = {"ws": "http", "wss": "https"}.get(address.scheme, address.scheme)
    proxy = proxies.get(scheme) or proxies.get("all")
    if not proxy or proxy_bypass(address.host or "") or proxy_bypass(address.authority):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


def through_proxy(url: str) -> str:
    """For a sentence about a URL: " through the proxy ADDRESS", without its password; empty if there is none."""
    proxy = proxy_of(url)
    return f" through the proxy {yarl.URL(proxy).with_user(None)}" if proxy else ""
