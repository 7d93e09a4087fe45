"""`captionbot discord` as people run it: errors at startup, upload of the commands, invite links."""

import shutil
import signal

import pytest

from tests.support.discord_server import DiscordServer
from tests.support.processes import PATIENCE, Installation

pytestmark = pytest.mark.anyio
NOWHERE = {"discord_api_url": "http://127.0.0.1:9/api/v10", "discord_gateway_url": "ws://127.0.0.1:9"}


@pytest.fixture
async def discord():
    async with DiscordServer() as discord:
        yield discord


@pytest.fixture
def installation(tmp_path, discord):
    installation = Installation(tmp_path, **addresses(discord))
    yield installation
    installation.clean()


@pytest.fixture
def make_tables(installation, sqlite_file):
    """make_tables(): what `captionbot migrate` does, in no time."""
    return lambda: shutil.copy(sqlite_file, installation.folder / "captionbot.db")


def addresses(discord):
    return {
        "discord_token": discord.token,
        "discord_api_url": discord.api,
        "discord_gateway_url": discord.gateway.url,
        "redis_url": "redis://127.0.0.1:9/0",  # no worker is needed
        "database_url": "",
    }


async def ended(discord, process):
    """Wait for the process to end, and return its exit code. The local Discord server keeps running."""
    await discord.until(lambda: not process.is_running(), PATIENCE)
    return process.wait()


def last_line(process):
    return process.log.strip().splitlines()[-1]


async def test_a_missing_token_is_reported_in_one_line(discord, installation):
    process = installation.start("discord", discord_token="")
    assert await ended(discord, process) == 1
    assert last_line(process).startswith("captionbot: DISCORD_TOKEN is not set.")
    assert "Traceback" not in process.log


async def test_a_wrong_token_is_reported_in_one_line_without_the_token(discord, installation, make_tables):
    make_tables()
    process = installation.start("discord", discord_token="OTAw.wrong.token")
    assert await ended(discord, process) == 1
    assert last_line(process).startswith("captionbot: Discord refuses DISCORD_TOKEN.")
    assert "OTAw.wrong.token" not in process.log
    assert "Traceback" not in process.log


async def test_a_missing_intent_is_reported_in_one_line(discord, installation, make_tables):
    make_tables()
    process = installation.start("discord", discord_message_content="true")
    assert await ended(discord, process) == 1
    assert last_line(process).startswith("captionbot: DISCORD_MESSAGE_CONTENT is on, but")
    assert "Traceback" not in process.log


@pytest.mark.parametrize("command", [["discord"], ["discord", "--sync"], ["discord", "--invite"]])
async def test_a_missing_network_is_reported_in_one_line(discord, installation, make_tables, command):
    if command == ["discord"]:
        make_tables()
    process = installation.start(*command, **NOWHERE)
    assert await ended(discord, process) == 1
    assert last_line(process) == (
        "captionbot: Discord cannot be reached at http://127.0.0.1:9/api/v10."
        " Is this machine online? Is DISCORD_API_URL right?"
    )
    assert "Traceback" not in process.log


async def test_the_invite_links_request_only_the_permissions_that_the_bot_needs(discord, installation):
    process = installation.start("discord", "--invite")
    assert await ended(discord, process) == 0
    for_server, for_person = process.log.splitlines()
    id = discord.bot["id"]
    permissions = 1 << 10 | 1 << 11 | 1 << 16 | 1 << 38  # view, send, history, send in threads
    assert f"client_id={id}&scope=bot+applications.commands&permissions={permissions}" in for_server
    assert f"client_id={id}&scope=applications.commands&integration_type=1" in for_person


async def test_commands_are_uploaded_on_request(discord, installation):
    process = installation.start("discord", "--sync")
    assert await ended(discord, process) == 0
    assert process.log.strip() == f"Discord has {len(discord.commands[None])} commands."
    assert {command["name"] for command in discord.commands[None]} >= {"caption", "Describe image", "auto", "admin"}


async def test_an_unreachable_gateway_is_logged_in_one_line_for_each_attempt(discord, installation, make_tables):
    make_tables()
    process = installation.start("discord", discord_gateway_url="ws://127.0.0.1:9")
    await discord.until(lambda: "Failed to connect for shard_id: 0. Retrying... (" in process.log, PATIENCE)
    assert "Traceback" not in process.log
    process.signal(signal.SIGTERM)
    assert await ended(discord, process) == 0
