"""One Redis URL for both of our clients: Kombu, which carries the queue, and redis-py, for notifications and limits.

The two spell some URLs differently. Settings take these, and each client gets its own spelling:

    redis://[USER:PASSWORD@]HOST[:PORT][/DB]
    rediss://...                                  TLS; ?ssl_ca_certs=FILE, ssl_cert_reqs=none and so on, as in redis-py
    unix:///PATH[?db=DB]                          a Unix socket; also redis+socket:///PATH
    sentinel://[USER:PASSWORD@]HOST[:PORT][,HOST[:PORT]...]/MASTER[?db=DB]
"""

import re
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode

from yarl import URL

SCHEMES = ("redis", "rediss", "unix", "redis+socket", "sentinel")
SENTINEL_PORT = 26379
CHARACTERS = "with a port that is a number; in a password / ? # @ are written %2F %3F %23 %40"
TLS_FILES = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")


@dataclass(frozen=True)
class KombuAddress:
    """What Celery's settings need to reach this Redis."""

    url: str
    transport_options: dict[str, Any]
    ssl: dict[str, Any] | None


@dataclass(frozen=True)
class _Parts:
    scheme: str
    credentials: str  # "user:password@", as in the URL, or nothing
    hosts: list[str]  # with their ports
    path: str
    query: dict[str, str]


def is_redis(url: str) -> bool:
    """Whether a broker's URL is one of Redis."""
    return url.partition("://")[0] in SCHEMES


def check_redis_url(url: str) -> str:
    """The same URL. Raises ValueError: what it should be, as "a URL such as ..."."""
    if not is_redis(url):
        raise ValueError(f"a URL that begins with {' or '.join(f'{scheme}://' for scheme in SCHEMES)}")
    parts, local = _parse(url), url.startswith(("unix://", "redis+socket://"))
    if parts.scheme == "sentinel" and (not all(parts.hosts) or not parts.path or "/" in parts.path or ";" in url):
        raise ValueError("a URL such as sentinel://HOST:26379,HOST:26379/MASTER with the master's name in Sentinel")
    if local and (any(parts.hosts) or not parts.path):
        raise ValueError(f"a URL such as {parts.scheme}:///run/redis.sock with the path of a Unix socket")
    if not local and not all(map(is_host, parts.hosts)):
        rest = "HOST:26379/MASTER" if parts.scheme == "sentinel" else "HOST:6379/0"
        raise ValueError(f"a URL such as {parts.scheme}://:PASSWORD@{rest}, {CHARACTERS}")
    db = parts.query.get("db", "" if local or parts.scheme == "sentinel" else parts.path) or "0"
    if not re.fullmatch(r"[0-9]{1,5}", db):
        raise ValueError("a URL whose database is a number, such as redis://HOST:6379/0 or unix:///run/redis.sock?db=0")
    if missing := [path for name, path in parts.query.items() if name in TLS_FILES and not Path(path).is_file()]:
        raise ValueError(f"a URL whose files can be read, and there is no file {missing[0]}")
    if find_spec("redis") and (wrong := _wrong_option(url)):
        raise ValueError(f"a URL with options that redis-py knows: {wrong}")
    return url


def is_host(text: str) -> bool:
    """Whether this is a host's name or address, with a port or without, that a resolver would take."""
    try:
        url = URL(f"//{text}")
        return bool(url.host and url.host.encode("idna")) and not re.search(r"[\s\0-\x1f@/?#\\]", text)
    except ValueError:  # a port that is no number, a part of a name that is empty or too long
        return False


def _wrong_option(url: str) -> str | None:
    """What redis-py says against the options of a URL, if anything. It makes a connection and does not connect it."""
    try:
        connect(url).connection_pool.make_connection()
    except Exception as error:  # a TypeError, a ValueError or one of its own
        return str(error).removeprefix("AbstractConnection.__init__() got an ")
    return None


def for_kombu(url: str) -> KombuAddress:
    """The address of a Redis as Kombu spells it. Certificates are checked, as redis-py does, unless the URL says no."""
    parts = _parse(url)
    db = parts.query.get("db")
    if parts.scheme in ("unix", "redis+socket"):
        query = f"?virtual_host={db}" if db else ""
        return KombuAddress(f"redis+socket://{parts.credentials}/{parts.path}{query}", {}, None)
    if parts.scheme == "sentinel":
        urls = [f"sentinel://{parts.credentials}{host}/{db or 0}" for host in parts.hosts]
        return KombuAddress(";".join(urls), {"master_name": unquote(parts.path)}, None)
    url = f"{parts.scheme}://{parts.credentials}{parts.hosts[0]}/{db or parts.path or 0}"
    if parts.scheme == "redis":
        return KombuAddress(url, {}, None)
    ssl: dict[str, Any] = {name: value for name, value in _secure(parts.query).items() if name.startswith("ssl_")}
    if "ssl_check_hostname" in ssl:
        ssl["ssl_check_hostname"] = ssl["ssl_check_hostname"].lower() not in ("0", "f", "false", "n", "no")
    return KombuAddress(url, {}, ssl)


def connect(url: str, **options: Any) -> Any:
    """A redis-py client for a Redis URL. It connects with its first command.

    Args:
        options: of the connections, such as `socket_timeout`.

    Returns:
        redis.Redis.
    """
    import redis  # not needed by those who run in one process
    from redis.sentinel import Sentinel

    parts = _parse(url)
    if parts.scheme == "sentinel":
        user, _, password = parts.credentials.rstrip("@").partition(":")
        own = {
            "username": unquote(user) or None,
            "password": unquote(password) or None,
            "db": int(parts.query.get("db", 0)),
        }
        sentinel = Sentinel([_host_and_port(host) for host in parts.hosts], sentinel_kwargs=dict(options), **options)
        return sentinel.master_for(unquote(parts.path), **own)
    scheme = "unix" if parts.scheme == "redis+socket" else parts.scheme
    query = urlencode(_secure(parts.query) if scheme == "rediss" else parts.query)
    if scheme == "unix":
        options.pop("socket_keepalive", None)  # TCP's; redis-py refuses it here
    address = f"{scheme}://{parts.credentials}{parts.hosts[0]}/{parts.path}" + (f"?{query}" if query else "")
    return redis.Redis.from_url(address, **options)


def _parse(url: str) -> _Parts:
    """urllib takes neither several hosts nor a password with a slash in it."""
    scheme, _, rest = url.partition("://")
    rest, _, query = rest.partition("?")
    before, at, after = rest.rpartition("@")
    hosts, _, path = after.partition("/")
    options = dict(parse_qsl(query))
    if "virtual_host" in options:  # Kombu's word for it
        options.setdefault("db", options.pop("virtual_host"))
    credentials = f"{quote(unquote(before), safe=':')}@" if at else ""
    return _Parts(scheme, credentials, hosts.split(","), path, options)


def _secure(query: dict[str, str]) -> dict[str, str]:
    """TLS options, with redis-py's default for all: certificates are checked. CERT_NONE is Kombu's word for none."""
    return query | {"ssl_cert_reqs": query.get("ssl_cert_reqs", "required").lower().removeprefix("cert_")}


def _host_and_port(host: str) -> tuple[str, int]:
    name, _, port = host.rpartition(":")
    return (name.strip("[]"), int(port)) if name else (host, SENTINEL_PORT)
