"""Tests of the proxies that the environment names: both platforms go through them with all that they request."""

import asyncio

import pytest

from bots.discord import run as discord_run
from bots.errors import CannotStart
from bots.proxies import proxy_of, through_proxy
from settings import Settings
from tests.support.discord_server import DiscordServer
from tests.support.discord_world import World
from tests.support.http_proxy import HttpProxy

pytestmark = pytest.mark.anyio
VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
NOWHERE = "http://discord.invalid"  # only the proxy finds it


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    """Without proxies."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    return monkeypatch


@pytest.mark.parametrize(
    ("variables", "url", "proxy"),
    [
        ({}, "https://discord.com/api", None),
        ({"HTTPS_PROXY": "http://p:3128"}, "https://discord.com/api", "http://p:3128"),
        ({"https_proxy": "http://p:3128"}, "wss://gateway.discord.gg/", "http://p:3128"),
        ({"HTTPS_PROXY": "p:3128"}, "https://discord.com/api", "http://p:3128"),
        ({"HTTP_PROXY": "http://p:3128"}, "https://discord.com/api", None),
        ({"HTTP_PROXY": "http://p:3128"}, "ws://127.0.0.1:9", "http://p:3128"),
        ({"ALL_PROXY": "http://p:3128"}, "https://discord.com/api", "http://p:3128"),
        ({"HTTPS_PROXY": "http://p:3128", "NO_PROXY": "discord.com"}, "https://discord.com/api", None),
        ({"HTTPS_PROXY": "http://p:3128", "NO_PROXY": "discord.com:8443"}, "https://discord.com:8443/api", None),
        ({"HTTPS_PROXY": "http://p:3128", "NO_PROXY": "*"}, "https://discord.com/api", None),
    ],
)
def test_the_proxy_of_a_url_is_the_one_of_its_scheme(environment, variables, url, proxy):
    for name, value in variables.items():
        environment.setenv(name, value)
    assert proxy_of(url) == proxy


def test_sentences_name_a_proxy_without_its_password(environment):
    environment.setenv("HTTPS_PROXY", "http://me:s%3Acret@p:3128")
    assert through_proxy("https://discord.com") == " through the proxy http://p:3128"


@pytest.mark.parametrize("credentials", [("", ""), ("me", "secret")])
async def test_discord_is_reached_through_a_proxy(
    environment, discord, tmp_path, sqlite_file, photo_bytes, credentials
):
    async with HttpProxy(discord.url, *credentials) as proxy:
        environment.setenv("HTTP_PROXY", proxy.url)
        (tmp_path / "test.db").write_bytes(sqlite_file.read_bytes())
        gateway = {"discord_gateway_url": "ws://gateway.invalid/gateway"}
        world = World(discord, tmp_path, discord_api_url=f"{NOWHERE}{DiscordServer.API}", **gateway)
        try:
            await world.start()
            interaction = await discord.slash("caption", discord.person("Ada"), photo=discord.upload(photo_bytes()))
            assert (await discord.until(lambda: interaction.answer))["content"] == "Sentence 1."
        finally:
            await world.stop()
    for place in (f"GET {NOWHERE}{DiscordServer.API}/", "gateway.invalid", "/cdn/"):
        assert any(place in request for request in proxy.requests), place


async def test_commands_are_uploaded_through_a_proxy(environment, discord, tmp_path):
    async with HttpProxy(discord.url) as proxy:
        environment.setenv("HTTP_PROXY", proxy.url)
        url = f"{NOWHERE}{DiscordServer.API}"
        settings = Settings(_env_file=None, data_dir=tmp_path, discord_token=discord.token, discord_api_url=url)
        assert await discord_run.sync(settings) == len(discord.commands[None])


async def test_a_proxy_that_cannot_be_reached_is_named_without_its_password(environment, discord, tmp_path):
    environment.setenv("HTTP_PROXY", "http://me:secret@127.0.0.1:9")
    settings = Settings(_env_file=None, data_dir=tmp_path, discord_token=discord.token, discord_api_url=discord.api)
    with pytest.raises(CannotStart) as refusal:
        await asyncio.wait_for(discord_run.sync(settings), 60)
    assert "through the proxy http://127.0.0.1:9." in str(refusal.value)
    assert "secret" not in str(refusal.value)


async def test_telegram_is_reached_through_a_proxy(environment, telegram, new_telegram_world, photo_bytes):
    async with HttpProxy(telegram.url) as proxy:
        environment.setenv("HTTP_PROXY", proxy.url)
        world = new_telegram_world(telegram_api_url="http://telegram.invalid")
        await world.start()
        photo = await telegram.send_photo(telegram.person("Ada"), photo_bytes())
        assert (await telegram.bot_reply(photo))["text"] == "Sentence 1."
        await world.stop()
    assert any("http://telegram.invalid/bot" in request for request in proxy.requests)
