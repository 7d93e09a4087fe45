"""One list on several devices: a link by which another browser joins, and the browsers that have joined."""

from dataclasses import dataclass
from datetime import datetime

from bots.errors import DeadLink, NotFound, TooManyDevices
from bots.service.base import Backend
from db import devices, people
from db.tables import Device, now


@dataclass(frozen=True)
class Link:
    """A link that was just made. Its secret is known now and never again."""

    secret: str
    expires_at: datetime


@dataclass(frozen=True)
class DeviceView:
    """A browser that joined, or a link that was not used yet."""

    id: str  # public
    joined_at: datetime | None
    expires_at: datetime | None


class Devices:
    """`service.devices`."""

    def __init__(self, backend: Backend):
        self._backend = backend

    def new_link(self, person: str) -> Link:
        """A link to the list of a person; it replaces one that was not used yet. Raises TooManyDevices."""
        with self._backend.sessions.begin() as session:
            made = devices.new_link(session, people.find_or_create(session, person).id)
            if made is None:
                raise TooManyDevices(limit=devices.MAX_DEVICES)
            return Link(made[0], made[1].created_at + devices.LINK_LASTS)

    def join(self, secret: str, person: str) -> str | None:
        """Use a link. Returns the secret of the joined browser; None if the browser shows that list already.

        Raises:
            DeadLink: the link was used, replaced, removed, or has expired.
        """
        with self._backend.sessions.begin() as session:
            link = devices.linked(session, secret)
            if link is not None and link.person.key == person:
                return None
            token = devices.join(session, secret)
        if token is None:
            raise DeadLink
        return token

    def person_of(self, token: str) -> str | None:
        """The key of the person whose list a browser joined; None if it was removed meanwhile."""
        with self._backend.reading() as session:
            device = devices.joined(session, token)
            return device.person.key if device else None

    def of_person(self, person: str) -> list[DeviceView]:
        """The devices of a person, and a link that was not used yet."""
        with self._backend.reading() as session:
            owner = people.find(session, person)
            found = devices.of_person(session, owner.id) if owner else []
            return [_view(device) for device in found if device.joined_at or _expiry(device) > now()]

    def id_of(self, token: str) -> str | None:
        """The public id of a browser that joined."""
        with self._backend.reading() as session:
            device = devices.joined(session, token)
            return device.public_id if device else None

    def remove(self, person: str, id: str) -> None:
        """Remove a device, or a link that was not used yet. Raises NotFound."""
        with self._backend.sessions.begin() as session:
            owner = people.find(session, person)
            if owner is None or not devices.remove(session, owner.id, id):
                raise NotFound


def _expiry(device: Device) -> datetime:
    return device.created_at + devices.LINK_LASTS


def _view(device: Device) -> DeviceView:
    return DeviceView(device.public_id, device.joined_at, None if device.joined_at else _expiry(device))
