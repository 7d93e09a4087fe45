"""Keys with which programs call the API. A key acts as a person of its own, with photos and limits of its own."""

import hashlib
import hmac
import logging
import re
import secrets
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.exc import DBAPIError

from bots.errors import one_line
from bots.log_redaction import API_KEY_PREFIX
from bots.service.base import Backend
from db import api_keys
from db.api_keys import NameTaken as NameTaken
from db.outages import noted
from db.tables import ApiKey

log = logging.getLogger(__name__)

NAME = re.compile(r"[\w.-]{1,100}", re.ASCII)


@dataclass(frozen=True)
class KeyView:
    """What is known of a key; its secret is not."""

    name: str
    person: str
    created_at: datetime
    last_used_at: datetime | None


class ApiKeys:
    """`service.api_keys`."""

    def __init__(self, backend: Backend):
        self._backend = backend

    def create(self, name: str) -> str:
        """Make a key. Returns its secret, which is stored nowhere.

        Raises:
            NameTaken
            ValueError: the name is no word of letters, digits, dots, hyphens and underscores.
        """
        if not NAME.fullmatch(name):
            raise ValueError(f"{name} is no word of at most 100 letters, digits, dots, hyphens and underscores")
        secret = API_KEY_PREFIX + secrets.token_urlsafe(32)
        with self._backend.sessions.begin() as session:
            api_keys.create(session, name, f"key:{secrets.token_urlsafe(16)}", _sha256(secret))
        return secret

    def all(self) -> list[KeyView]:
        """All keys, by name."""
        with self._backend.reading() as session:
            return [_view(key) for key in api_keys.all_keys(session)]

    def revoke(self, name: str) -> str | None:
        """Delete a key: from now on it is refused. Its photos and captions stay.

        Returns:
            The person that it acted as; None if there is no such key.
        """
        with self._backend.sessions.begin() as session:
            return api_keys.remove(session, name)

    def person_of(self, secret: str) -> str | None:
        """The person that a key acts as; None for a wrong key. Notes that it was used."""
        sha256 = _sha256(secret)
        with self._backend.reading() as session:
            key = api_keys.by_secret(session, sha256)
        if key is None or not hmac.compare_digest(key.secret_sha256, sha256):
            return None
        if api_keys.is_used_again(key):
            try:
                with self._backend.sessions.begin() as session:
                    api_keys.note_use(session, key.id)
            except DBAPIError as error:  # such as a full disk: reading still works
                if not noted(error):
                    log.warning("that a key was used could not be noted: %s", one_line(error.orig or error))
        return key.person


def _sha256(secret: str) -> str:
    return hashlib.sha256(secret.encode(errors="surrogateescape")).hexdigest()


def _view(key: ApiKey) -> KeyView:
    return KeyView(key.name, key.person, key.created_at, key.last_used_at)
