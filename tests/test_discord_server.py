"""The local Discord server, tested with the real discord.py, and with requests that the real API would refuse."""

import asyncio
import contextlib

import aiohttp
import discord
import pytest
import yarl
from discord import app_commands

from tests.support.discord_server import DiscordServer

pytestmark = pytest.mark.anyio


@pytest.fixture
async def server():
    async with DiscordServer() as server:
        server.acknowledge_seconds = 60  # on a machine with other work
        yield server


class Echo(discord.Client):
    """A client that records the messages it receives, and answers one command."""

    def __init__(self, server: DiscordServer, intents: discord.Intents):
        discord.http.Route.BASE = server.api
        discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(server.gateway.url)
        super().__init__(intents=intents, guild_ready_timeout=0.1)
        self.received: list[object] = []
        self.tree = app_commands.CommandTree(self)
        self.tree.command(name="echo", description="Repeats a text")(echo)

    async def setup_hook(self) -> None:
        await self.tree.sync()

    async def on_message(self, message: discord.Message) -> None:
        self.received.append(message.content)


async def echo(interaction: discord.Interaction, text: str) -> None:
    await interaction.response.defer(thinking=True, ephemeral=True)
    await interaction.edit_original_response(content=text)


@contextlib.asynccontextmanager
async def connected(server: DiscordServer, *, token: str = "", privileged: bool = False):
    intents = discord.Intents(guilds=True, guild_messages=True, message_content=privileged)
    client = Echo(server, intents)
    running = asyncio.create_task(client.start(token or server.token))
    ready = asyncio.create_task(client.wait_until_ready())
    await asyncio.wait({running, ready}, return_when=asyncio.FIRST_COMPLETED)
    try:
        if running.done():
            running.result()
        yield client
    finally:
        ready.cancel()
        await client.close()
        await asyncio.gather(running, ready, return_exceptions=True)


async def call(server: DiscordServer, method: str, path: str, body: object, token: str = "") -> tuple[int, int]:
    """The HTTP status and Discord's error code."""
    headers = {"Authorization": f"Bot {token or server.token}"}
    async with (
        aiohttp.ClientSession() as http,
        http.request(method, server.api + path, json=body, headers=headers) as answer,
    ):
        return answer.status, (await answer.json()).get("code", 0)


async def test_a_client_becomes_ready_and_sees_its_servers(server):
    async with connected(server) as client:
        assert [guild.name for guild in client.guilds] == ["Friends"]
        assert server.gateway.heartbeats >= 1


async def test_a_wrong_token_is_refused(server):
    with pytest.raises(discord.LoginFailure):
        async with connected(server, token="wrong"):
            pass


async def test_a_privileged_intent_that_is_not_enabled_closes_the_connection(server):
    with pytest.raises(discord.PrivilegedIntentsRequired):
        async with connected(server, privileged=True):
            pass


async def test_message_content_is_empty_without_the_intent_unless_the_bot_is_mentioned(server):
    async with connected(server) as client:
        await server.post(server.person(), "hello all")
        await server.post(server.person(), f"hello <@{server.bot['id']}>")
        await server.until(lambda: len(client.received) == 2)
        assert client.received == ["", f"hello <@{server.bot['id']}>"]


async def test_an_event_without_its_intent_is_not_sent(server):
    async with connected(server) as client:
        await client.change_presence()  # something else goes through
        ada = server.person()
        channel = server.direct_channel(ada)["id"]
        await server.post(ada, "in private", channel)
        await server.post(ada, "in public")
        await server.until(lambda: client.received)
        assert len(client.received) == 1


async def test_a_lost_connection_resumes_and_receives_missed_events(server):
    async with connected(server) as client:
        await server.gateway.drop()
        await server.post(server.person(), f"missed <@{server.bot['id']}>")
        await server.until(lambda: client.received)
        assert (server.gateway.identified, server.gateway.resumed) == (1, 1)


async def test_a_client_identifies_again_after_an_invalid_session(server):
    async with connected(server) as client:
        await server.gateway.invalidate()
        await server.until(lambda: server.gateway.identified == 2)
        await server.until(lambda: server.gateway.sessions)
        assert not client.is_closed()


async def test_a_command_is_acknowledged_and_answered(server):
    async with connected(server):
        interaction = await server.slash("echo", server.person(), text="again")
        await server.until(lambda: interaction.answer)
        assert interaction.answer["content"] == "again"
        assert interaction.ephemeral
        assert interaction.seconds is not None


async def test_the_same_nonce_gives_the_same_message(server):
    async with connected(server) as client:
        channel = client.get_channel(int(server.channel))
        first = await channel.send("once", nonce="abc")
        again = await channel.send("once", nonce="abc")
        assert first.id == again.id
        assert len(server.sent_to(server.channel)) == 1


async def test_a_client_waits_for_a_rate_limit(server):
    async with connected(server) as client:
        path = f"/channels/{server.channel}/messages"
        server.fault("POST", path, 429, {"message": "slow", "retry_after": 0.1, "global": False})
        await client.get_channel(int(server.channel)).send("late")
        assert len(server.called("POST", path)) == 2


async def test_an_interaction_cannot_be_acknowledged_after_the_time_limit(server):
    server.acknowledge_seconds = 0
    async with connected(server):
        interaction = await server.slash("echo", server.person(), text="again")
        callback = rf"/interactions/{interaction.payload['id']}/.*"
        await server.until(lambda: server.called("POST", callback))
        assert interaction.acknowledged_at is None


BUTTON = {"type": 2, "style": 1, "label": "a", "custom_id": "a"}
MESSAGES = {  # what is wrong -> a message
    "empty": ({"content": ""}, 50006),
    "too long": ({"content": "x" * 2001}, 50035),
    "the nonce is too long": ({"content": "x", "nonce": "n" * 26}, 50035),
    "six rows": ({"content": "x", "components": [{"type": 1, "components": [BUTTON]}] * 6}, 50035),
    "six buttons in a row": ({"content": "x", "components": [{"type": 1, "components": [BUTTON] * 6}]}, 50035),
    "the same button twice": ({"content": "x", "components": [{"type": 1, "components": [BUTTON] * 2}]}, 50035),
    "replies to nothing": ({"content": "x", "message_reference": {"message_id": "5"}}, 50035),
    "mentions both": ({"content": "x", "allowed_mentions": {"parse": ["users"], "users": ["1"]}}, 50035),
}


@pytest.mark.parametrize("wrong", MESSAGES)
async def test_a_message_that_breaks_a_limit_is_rejected(server, wrong):
    body, code = MESSAGES[wrong]
    assert await call(server, "POST", f"/channels/{server.channel}/messages", body) == (400, code)


COMMANDS = {  # what is wrong -> a command
    "capitals": {"name": "Caption", "description": "x"},
    "no description": {"name": "caption"},
    "a long description": {"name": "caption", "description": "x" * 101},
    "a menu with a description": {"name": "Describe", "type": 3, "description": "x"},
    "optional before required": {
        "name": "caption",
        "description": "x",
        "options": [
            {"name": "a", "description": "x", "type": 3},
            {"name": "b", "description": "x", "type": 3, "required": True},
        ],
    },
}


@pytest.mark.parametrize("wrong", COMMANDS)
async def test_a_command_that_breaks_a_limit_is_rejected(server, wrong):
    assert await call(server, "PUT", f"/applications/{server.bot['id']}/commands", [COMMANDS[wrong]]) == (400, 50035)


async def test_messages_to_channels_where_the_bot_may_not_write_are_refused(server):
    path, message = f"/channels/{server.channel}/messages", {"content": "x"}
    server.no_permission.add(server.channel)
    assert await call(server, "POST", path, message) == (403, 50013)
    server.no_access.add(server.channel)
    assert await call(server, "POST", path, message) == (403, 50001)
    assert await call(server, "POST", "/channels/5/messages", message) == (404, 10003)
    assert await call(server, "POST", path, message, token="wrong") == (401, 0)


async def test_a_response_after_the_token_has_expired_is_refused(server):
    async with connected(server):
        interaction = await server.slash("echo", server.person(), text="again")
        await server.until(lambda: interaction.answer)
        interaction.expired = True
        path = f"/webhooks/{server.bot['id']}/{interaction.payload['token']}/messages/@original"
        assert await call(server, "PATCH", path, {"content": "late"}) == (401, 50027)
        path = f"/webhooks/{server.bot['id']}/nonsense/messages/@original"
        assert await call(server, "PATCH", path, {"content": "late"}) == (404, 10015)


async def test_an_interaction_can_be_acknowledged_only_once(server):
    async with connected(server):
        interaction = await server.slash("echo", server.person(), text="again")
        await server.until(lambda: interaction.answer)
        path = f"/interactions/{interaction.payload['id']}/{interaction.payload['token']}/callback"
        assert await call(server, "POST", path, {"type": 5}) == (400, 40060)
