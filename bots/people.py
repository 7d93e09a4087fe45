"""People and chats: what they chose, and that they are forgotten when they want to be."""

from dataclasses import asdict
from typing import Any

from pydantic import TypeAdapter

from bots.caption_views import CHOSEN, preferences_of
from bots.service_base import ServiceBase
from bots.texts import LANGUAGES
from bots.views import ChatView, Forgotten, Preferences
from db import chats, forgetting, people
from db.tables import Chat

SWITCHES = {"auto", "remind_alt_text"}
_PREFERENCES = TypeAdapter(Preferences)


class People(ServiceBase):
    def preferences(self, person: str) -> Preferences:
        """What they chose; the defaults for somebody new."""
        with self._reading() as session:
            return preferences_of(people.find(session, person))

    def set_preferences(self, person: str, **changes: Any) -> Preferences:
        """Change language, length, quality or hedging. Raises ValueError for a name or value that is none of them."""
        if unknown := changes.keys() - CHOSEN:
            raise ValueError(f"no such preference: {', '.join(sorted(unknown))}")
        if changes.get("language") not in (None, *LANGUAGES):
            raise ValueError(f"{changes['language']} is not among {', '.join(LANGUAGES)}")
        chosen = asdict(_PREFERENCES.validate_python(asdict(Preferences()) | changes))
        with self._sessions.begin() as session:
            return preferences_of(people.prefer(session, person, {name: chosen[name] for name in changes}))

    def consent(self, person: str, agreed: bool) -> Preferences:
        """Whether photos they send may be kept for training."""
        with self._sessions.begin() as session:
            return preferences_of(people.consent(session, person, agreed))

    def is_admin(self, person: str) -> bool:
        """Whether they are in ADMIN_IDS."""
        return person in self.policy.admins

    def chat(self, key: str) -> ChatView:
        """What is switched on there."""
        with self._reading() as session:
            return _chat_view(chats.find(session, key))

    def set_chat(self, key: str, **changes: bool) -> ChatView:
        """Change auto or remind_alt_text. A chat that was left and is set again is no longer left."""
        if unknown := changes.keys() - SWITCHES:
            raise ValueError(f"no such switch: {', '.join(sorted(unknown))}")
        with self._sessions.begin() as session:
            return _chat_view(chats.change(session, key, **changes))

    def left_chat(self, key: str) -> None:
        """The bot was removed from a chat, or from a server with all of its channels (KEY/...): purged in a week."""
        with self._sessions.begin() as session:
            chats.leave(session, key)

    def forget(self, person: str) -> Forgotten:
        """Remove all that is known of a person. Photos that another person sent too stay theirs."""
        return Forgotten(**vars(forgetting.forget(self._sessions, self._store, person, self.policy.exports)))


def _chat_view(chat: Chat | None) -> ChatView:
    return ChatView() if chat is None else ChatView(auto=chat.auto, remind_alt_text=chat.remind_alt_text)
