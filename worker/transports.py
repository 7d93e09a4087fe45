"""Which transport carries the queue: one of ours where it was tested with the installed libraries, or Kombu's own.

Ours are faster, but override private methods of Kombu, which any new series may change.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version

log = logging.getLogger(__name__)

Tested = dict[str, str]  # library -> the series that a transport was tested with


@dataclass(frozen=True)
class Transport:
    path: str | None  # as Celery's setting broker_transport takes it; None is Kombu's choice for the URL
    name: str  # for the log


OURS: dict[str, tuple[str, Tested]] = {
    "redis": ("worker.redis_transport:Transport", {"kombu": "5.7", "redis": "8"}),
    "memory": ("worker.memory_transport:Transport", {"kombu": "5.7"}),
}
OURS["rediss"] = OURS["redis"]


def choose_transport(scheme: str, choice: str = "auto") -> Transport:
    """The transport for brokers whose URLs begin with this scheme.

    Args:
        choice: "kombu" for Kombu's own in any case, "auto" for the faster one where it was tested.
    """
    stock = Transport(None, f"Kombu's own transport for {scheme}://")
    if scheme not in OURS or choice == "kombu":
        return stock
    path, tested = OURS[scheme]
    found = {library: installed(library) for library in tested}
    if untested(tested, found):
        _warn(scheme, tuple(tested.items()), tuple(found.items()))
        return stock
    return Transport(path, f"captionbot's transport for {scheme}:// ({path.partition(':')[0]})")


def untested(tested: Tested, found: dict[str, str]) -> list[str]:
    """The libraries whose versions are not of the series tested. Versions: "5.7.0"; series: "5.7"."""
    return [name for name, series in tested.items() if not f"{found[name]}.".startswith(f"{series}.")]


def installed(library: str, look_up: Callable[[str], str] = version) -> str:
    try:
        return look_up(library)
    except PackageNotFoundError:
        return "none"


@cache
def _warn(scheme: str, tested: tuple[tuple[str, str], ...], found: tuple[tuple[str, str], ...]) -> None:
    """Once in a process, which makes several queues."""
    log.warning(
        "captionbot's transport for %s:// was tested with %s, here is %s: Kombu's own is used, which is slower",
        scheme,
        _listed(tested),
        _listed(found),
    )


def _listed(versions: tuple[tuple[str, str], ...]) -> str:
    return " and ".join(f"{library} {number}" for library, number in versions)
