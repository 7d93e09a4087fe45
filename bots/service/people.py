"""Settings of people and chats, and deletion of a person's data."""

from dataclasses import asdict
from typing import Any

from pydantic import TypeAdapter

from bots.i18n import languages
from bots.service.base import Backend
from bots.service.views import ChatView
from db import chat_moves, chats, erasure, people
from db.preferences import CHOICES, Preferences
from db.tables import Chat

SWITCHES = {"auto", "remind_alt_text"}
_PREFERENCES = TypeAdapter(Preferences)


class People:
    """`service.people`. A person is a key such as "telegram:1234"."""

    def __init__(self, backend: Backend):
        self._backend = backend

    def preferences(self, person: str) -> Preferences:
        """A person's settings; the defaults for somebody new."""
        with self._backend.reading() as session:
            return people.preferences(people.find(session, person))

    def set_preferences(self, person: str, **changes: Any) -> Preferences:
        """Change language, length, quality or hedging. Raises ValueError for an unknown name or value."""
        if unknown := changes.keys() - CHOICES:
            raise ValueError(f"no such preference: {', '.join(sorted(unknown))}")
        if changes.get("language") not in (None, *languages()):
            raise ValueError(f"{changes['language']} is not among {', '.join(languages())}")
        chosen = asdict(_PREFERENCES.validate_python(asdict(Preferences()) | changes))
        with self._backend.sessions.begin() as session:
            return people.preferences(people.set_preferences(session, person, {name: chosen[name] for name in changes}))

    def set_consent(self, person: str, agreed: bool) -> Preferences:
        """Store whether photos that the person sends may be used for training."""
        with self._backend.sessions.begin() as session:
            return people.preferences(people.set_consent(session, person, agreed))

    def is_admin(self, person: str) -> bool:
        """Whether the person is in ADMIN_IDS."""
        return person in self._backend.policy.admins

    def forget(self, person: str) -> erasure.Forgotten:
        """Delete all data of a person. Photos that somebody else has sent too are kept."""
        backend = self._backend
        return erasure.forget(backend.sessions, backend.store, person, backend.policy.exports)


class Chats:
    """`service.chats`. A chat is a key such as "telegram:-100123" or "discord:SERVER/CHANNEL"."""

    def __init__(self, backend: Backend):
        self._backend = backend

    def get(self, key: str, parent: str | None = None) -> ChatView:
        """The switches of a chat. parent: the chat whose switches hold where nothing was ever switched in this one."""
        with self._backend.reading() as session:
            return _chat_view(chats.find(session, key) or (chats.find(session, parent) if parent else None))

    def change(self, key: str, **changes: bool) -> ChatView:
        """Change `auto` or `remind_alt_text`. A chat that the bot had left no longer counts as left."""
        if unknown := changes.keys() - SWITCHES:
            raise ValueError(f"no such switch: {', '.join(sorted(unknown))}")
        with self._backend.sessions.begin() as session:
            return _chat_view(chats.change(session, key, **changes))

    def move(self, old: str, new: str) -> None:
        """The chat has another key now: move what is stored under the old one. Calling it again is harmless."""
        with self._backend.sessions.begin() as session:
            chat_moves.move(session, old, new)

    def leave(self, key: str) -> None:
        """Note that the bot was removed from a chat, or from a server with all of its channels (KEY/...).

        Their data is deleted after a week.
        """
        with self._backend.sessions.begin() as session:
            chats.leave(session, key)


def _chat_view(chat: Chat | None) -> ChatView:
    return ChatView() if chat is None else ChatView(auto=chat.auto, remind_alt_text=chat.remind_alt_text)
