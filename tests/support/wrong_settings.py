"""Wrong values of every setting, by its type or by hand, and of the variables that libraries read."""

import os
from typing import Literal, get_args, get_origin

from settings import Settings

SECRET = "hunter2"
TOO_LONG = "x" * 5000
NOT_UTF8 = os.fsdecode(b"\xff\xfe")
URLS = ["nothing", f"nosuch://me:{SECRET}@host", f"://me:{SECRET}@host", f"me:{SECRET}@host", "https://", NOT_UTF8]
WRONG_IN_ANY_URL = ["{scheme}://", f"{{scheme}}://me:{SECRET}@", f"{{scheme}}://me:{SECRET}@host:port",
                    f"{{scheme}}://me:{SECRET}@host:99999", f"{{scheme}}://me:{SECRET}", "{scheme}://a..b"]  # fmt: skip

BY_HAND = {
    "DATABASE_URL": [
        *URLS,
        f"mysql://me:{SECRET}@host/captions",
        f"postgresql+asyncpg://me:{SECRET}@host/captions",
        f"postgresql://me:{SECRET}@host:port/captions",
        "postgresql://me:hun@ter2@host/captions",
        f"postgresql://me:{SECRET}@host/captions?nosuch=option",
        f"postgresql://host/captions?password={SECRET}&nosuch=option",
        "sqlite://",
        "sqlite:///",
        "sqlite:///:memory:",
        "sqlite://captions.db",
        "sqlite:////etc/hostname/captions.db",
        "sqlite:////etc",
        "sqlite:///captions.db?timeout=long",
    ],
    "REDIS_URL": [
        *URLS,
        *(value.format(scheme="redis") for value in WRONG_IN_ANY_URL),
        "redis://:hun?ter2@host/0",
        "redis://host/zero",
        "redis://host/0?nosuch=option",
        "redis://host/0?socket_timeout=long",
        "rediss://host/0?ssl_ca_certs=/nowhere/ca.pem",
        "rediss://host/0?ssl_cert_reqs=perhaps",
        "unix://run/redis.sock",
        "unix:///run/redis.sock?db=first",
        f"sentinel://:{SECRET}@one:port,two:26379/master",
        f"sentinel://:{SECRET}@one,two",
    ],
    "BROKER_URL": [
        *URLS,
        "amqp://me:hun/ter2@host",
        f"amqp://me:{SECRET}@host:port/",
        f"sqs://me:{SECRET}@",
        f"redis://:{SECRET}@host:port/0",
    ],
    "PHOTO_STORE": [f"nosuch://me:{SECRET}@bucket", "/etc/hostname", "/etc/hostname/photos", "~nobody-here", TOO_LONG],
    "TELEGRAM_API_URL": [*URLS, *(value.format(scheme="http") for value in WRONG_IN_ANY_URL), "https://host/?bot"],
    "TELEGRAM_WEBHOOK_URL": [*URLS, *(value.format(scheme="https") for value in WRONG_IN_ANY_URL)],
    "DISCORD_API_URL": [*URLS, *(value.format(scheme="https") for value in WRONG_IN_ANY_URL), "https://host/#v10"],
    "DISCORD_GATEWAY_URL": [*URLS, *(value.format(scheme="wss") for value in WRONG_IN_ANY_URL)],
    "TELEGRAM_TOKEN": [f"1234:{SECRET}ü", f"1234:{SECRET}\tx", NOT_UTF8],
    "DISCORD_TOKEN": [f"{SECRET}ü", NOT_UTF8],
    "TELEGRAM_WEBHOOK_SECRET": [f"{SECRET}!", SECRET * 50, NOT_UTF8],
    "WEB_ROOT_PATH": ["captions", "/captions?x", "/a//b", "/a/../b", "/ü", "/a b", "/api", "/docs/more", NOT_UTF8],
    "SECRET_KEY": [NOT_UTF8],
    "KEY_PREFIX": ["with space", "x" * 51, "ü", NOT_UTF8],
    "ADMIN_IDS": ["ann", "telegram:ann", "telegram:-1", "web:1", "telegram:1;telegram:2", f"telegram:{'1' * 30}"],
    "RATE_LIMIT": ["many", "0/hour", "5", "5/year", "5/hour,1/minute", f"{'9' * 30}/hour", NOT_UTF8],
    "NO_PROXY": ["fd07::/64", "localhost,[::1]", "host:port", "bücher.example"],
    "HTTPS_PROXY": [f"me:{SECRET}@host:port", f"ftp://me:{SECRET}@host", f"http://me:{SECRET}@host:99999", "http://"],
    "SSL_CERT_FILE": ["/nowhere/ca.pem", "/etc/hostname"],
    "SSL_CERT_DIR": ["/nowhere"],
    "SSLKEYLOGFILE": ["/nowhere/keys"],
    "CELERY_BROKER_URL": [f"redis://:{SECRET}@host", f"redis://:{SECRET}@host:port"],
    "PROMETHEUS_MULTIPROC_DIR": ["/nowhere"],
    "PSYCOPG_IMPL": ["nosuch"],
}  # fmt: skip


def wrong_values(name: str) -> list[str]:
    """What is wrong for a setting, by its type."""
    if name.upper() in BY_HAND:
        return BY_HAND[name.upper()]
    field = Settings.model_fields[name]
    if name.endswith("host"):
        return ["http://localhost", "localhost:80", "a..b", "x" * 64, "two words", "[::1]", NOT_UTF8]
    if name.endswith(("dir", "model_store")):
        return ["s3://bucket", "~nobody-here/x", "/etc/hostname", "/etc/hostname/x", TOO_LONG, NOT_UTF8]
    if get_origin(field.annotation) is Literal:
        return ["nosuch", " ".join(get_args(field.annotation)), NOT_UTF8]
    if field.annotation is bool:
        return ["perhaps", "2"]
    beyond = {"ge": -1, "gt": 0, "le": 1}  # what is added to a limit
    limits = [(limit, kind) for limit in field.metadata for kind in beyond if hasattr(limit, kind)]
    assert len(limits) == 2, f"{name} has no lower or no upper limit"
    return [
        *(str(getattr(limit, kind) + beyond[kind]) for limit, kind in limits),
        "many",
        "1,5",
        "nan",
        "inf",
        "1e999",
        "9" * 5000,
    ]


CASES = [(name.upper(), value) for name in Settings.model_fields for value in wrong_values(name)]
CASES += [(name, value) for name in BY_HAND if name.lower() not in Settings.model_fields for value in BY_HAND[name]]
