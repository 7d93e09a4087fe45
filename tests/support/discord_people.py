"""What people do on the local Discord server: write, react, delete, use commands, press buttons, fill in modals."""

import time
from dataclasses import dataclass, field
from typing import Any

from tests.support import discord_payloads as payloads
from tests.support.discord_gateway import Gateway

Json = dict[str, Any]
GROUP = 3  # type of a private channel of several people
LOADING = 1 << 7  # "captionbot is thinking"
OPTION_KINDS = {bool: 5, int: 4, str: 3, dict: 11}  # type of an option's value -> its kind; a dict is an attachment


@dataclass
class Interaction:
    """A command, a button press or a submitted modal, and the responses of the bot. Times: `time.monotonic()`."""

    payload: Json
    messages: dict[str, Json]
    created_at: float = field(default_factory=time.monotonic)
    acknowledged_at: float | None = None
    ephemeral: bool = False
    modal: Json | None = None
    answer_id: str | None = None
    answered: int = 0  # how often the response was edited
    follow_ups: list[Json] = field(default_factory=list)
    expired: bool = False

    @property
    def channel(self) -> str:
        return str(self.payload["channel"]["id"])

    @property
    def answer(self) -> Json | None:
        """The message that responds, once it no longer shows "thinking"."""
        found = self.messages.get(self.answer_id or "")
        return found if found and not found["flags"] & LOADING else None

    @property
    def seconds(self) -> float | None:
        """The time until the interaction was acknowledged; None if it was not."""
        return self.acknowledged_at and self.acknowledged_at - self.created_at


class People:
    """The part of the server that acts for people."""

    bot: Json
    channel: str
    channels: dict[str, Json]
    commands: dict[str | None, list[Json]]
    gateway: Gateway
    interactions: dict[str, Interaction]
    messages: dict[str, Json]
    no_permission: set[str]
    app_permissions = payloads.ALL_PERMISSIONS  # of the bot where it may write

    async def post(self, person: Json, content: str = "", channel: str | None = None, **more: Any) -> Json:
        """Send a message. `attachments`, `embeds`, `reply_to` (a message), mentions of the bot in `content`.

        deleted: it is deleted before the bot can answer, and the event about that is lost.
        """
        place = self.channels[channel or self.channel]
        if original := more.pop("reply_to", None):
            reference = {"channel_id": place["id"], "message_id": original["id"]}
            more |= {"message_reference": reference, "referenced_message": original, "type": 19}
        if f"<@{self.bot['id']}>" in content:
            more["mentions"] = [self.bot]
        deleted = more.pop("deleted", False)
        sent = payloads.message(place["id"], person, content, **more)
        if not deleted:
            self.messages[sent["id"]] = sent
        where = {"guild_id": place["guild_id"], "member": payloads.member(person)} if "guild_id" in place else {}
        await self.gateway.dispatch("MESSAGE_CREATE", sent | where)
        return sent

    async def start_thread(self, person: Json, channel: str | None = None) -> str:
        """Start a thread in a channel of a server. Returns its id."""
        place = self.channels[channel or self.channel]
        thread = payloads.thread(payloads.snowflake(), place["id"], place["guild_id"], person["id"])
        self.channels[thread["id"]] = thread
        await self.gateway.dispatch("THREAD_CREATE", thread)
        return str(thread["id"])

    async def react(self, person: Json, message: Json, emoji: str, *, remove: bool = False) -> None:
        place = self.channels[message["channel_id"]]
        data = {"user_id": person["id"], "channel_id": place["id"], "message_id": message["id"]}
        data |= {"emoji": {"id": None, "name": emoji}, "burst": False, "type": 0}
        if "guild_id" in place:
            data["guild_id"] = place["guild_id"]
            if not remove:
                data |= {"member": payloads.member(person), "message_author_id": message["author"]["id"]}
        await self.gateway.dispatch(f"MESSAGE_REACTION_{'REMOVE' if remove else 'ADD'}", data)

    async def delete_message(self, *ids: str) -> None:
        """Delete messages. Several at once are one bulk event."""
        place = self.channels[self.messages[ids[0]]["channel_id"]]
        for id in ids:
            self.messages.pop(id, None)
        names = {"id": ids[0]} if len(ids) == 1 else {"ids": list(ids)}
        where = {key: place[key] for key in ("guild_id",) if key in place} | {"channel_id": place["id"]}
        await self.gateway.dispatch("MESSAGE_DELETE" if len(ids) == 1 else "MESSAGE_DELETE_BULK", names | where)

    async def slash(self, path: str, person: Json, **given: Any) -> Interaction:
        """Use a command that the bot has uploaded: `slash("admin models", ada)`. `interact` lists further arguments."""
        where = {key: given.pop(key) for key in ("channel", "permissions", "locale", "installed_by") if key in given}
        name, *inner = path.split()
        resolved = {value["id"]: value for value in given.values() if isinstance(value, dict)}
        options: list[Json] = [
            {"name": key, "type": OPTION_KINDS[type(value)], "value": value["id"] if isinstance(value, dict) else value}
            for key, value in given.items()
        ]
        for deeper in reversed(inner):
            options = [{"name": deeper, "type": 1, "options": options}]
        data = {"id": self._command(name, 1)["id"], "name": name, "type": 1, "options": options}
        return await self.interact(2, person, data | {"resolved": {"attachments": resolved}}, **where)

    async def menu(self, name: str, person: Json, message: Json, **where: Any) -> Interaction:
        """Use a context menu command on a message."""
        data = {"id": self._command(name, 3)["id"], "name": name, "type": 3, "target_id": message["id"]}
        data["resolved"] = {"messages": {message["id"]: message}}
        return await self.interact(2, person, data, **({"channel": message["channel_id"]} | where))

    async def press(self, person: Json, message: Json, button: str, **where: Any) -> Interaction:
        """Press the button of a message that has this emoji, or whose label starts with this text."""
        buttons = [one for row in self.messages[message["id"]]["components"] for one in row["components"]]
        shown = [
            one
            for one in buttons
            if button == (one.get("emoji") or {}).get("name") or (one.get("label") or "").startswith(button)
        ]
        assert shown, f"no button {button}"
        data = {"custom_id": shown[0]["custom_id"], "component_type": 2}
        where = {"channel": message["channel_id"], "message": self.messages[message["id"]]} | where
        return await self.interact(3, person, data, **where)

    async def submit(self, person: Json, opened: Interaction, text: str) -> Interaction:
        """Submit a modal with this text in its only field."""
        assert opened.modal is not None
        part = opened.modal["components"][0]
        field_id = (part.get("component") or part["components"][0])["custom_id"]
        answer = {"type": 18, "id": 1, "component": {"type": 4, "id": 2, "custom_id": field_id, "value": text}}
        data = {"custom_id": opened.modal["custom_id"], "components": [answer]}
        message = opened.payload.get("message")
        return await self.interact(5, person, data, channel=opened.channel, message=message)

    def _command(self, name: str, kind: int) -> Json:
        known = [one for commands in self.commands.values() for one in commands]
        found = [one for one in known if one["name"] == name and one["type"] == kind]
        assert found, f"the bot has uploaded no command {name}"
        return found[0]

    async def interact(
        self,
        kind: int,
        person: Json,
        data: Json,
        *,
        channel: str | None = None,
        message: Json | None = None,
        permissions: str = "0",
        locale: str = "en-US",
        installed_by: str | None = None,
    ) -> Interaction:
        """Send an interaction to the bot. installed_by: the id of the person who installed it, not the server."""
        place = self.channels.get(channel or self.channel) or payloads.text_channel(channel or "")
        guild = place.get("guild_id")
        owners = {"1": installed_by} if installed_by else {"0": guild or "0"}
        payload = {
            "id": payloads.snowflake(),
            "application_id": self.bot["id"],
            "type": kind,
            "token": f"interaction-{payloads.snowflake()}",
            "version": 1,
            "channel": place,
            "channel_id": place["id"],
            "locale": locale,
            "data": data,
            "entitlements": [],
            "authorizing_integration_owners": owners,
            "context": 0 if guild else 2 if place["type"] == GROUP else 1,
            "attachment_size_limit": 10 << 20,
            "app_permissions": "0" if place["id"] in self.no_permission else self.app_permissions,
        }
        if guild:
            payload |= {"guild_id": guild, "guild": {"id": guild, "locale": "en-US", "features": []}}
            payload |= {"guild_locale": "en-US", "member": payloads.member(person, permissions)}
        else:
            payload["user"] = person
        if message:
            payload["message"] = message
        interaction = self.interactions[payload["token"]] = Interaction(payload, self.messages)
        await self.gateway.dispatch("INTERACTION_CREATE", payload)
        return interaction
