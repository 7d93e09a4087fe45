"""Tests of the settings that the Discord bot makes in discord.py, which has no public options for them."""

import discord
import pytest
import yarl

from bots.discord.client import TESTED_SERIES, prepare
from bots.errors import CannotStart
from settings import Settings

API, GATEWAY = "http://127.0.0.1:9/api/v10", "ws://127.0.0.1:9/gateway"


@pytest.fixture(autouse=True)
def discord_py(monkeypatch):
    """discord.py as it is when it has just been imported. The test's changes are undone."""
    monkeypatch.delenv("DISCORD_API_URL", raising=False)
    monkeypatch.delenv("DISCORD_GATEWAY_URL", raising=False)
    monkeypatch.setattr(discord.http.Route, "BASE", "https://discord.com/api/v10")
    monkeypatch.setattr(discord.gateway.DiscordWebSocket, "DEFAULT_GATEWAY", yarl.URL("wss://gateway.discord.gg/"))


def urls() -> tuple[str, str]:
    return discord.http.Route.BASE, str(discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY)


def test_the_installed_discord_py_is_of_the_tested_series():
    assert discord.__version__.startswith(TESTED_SERIES)


def test_the_configured_urls_are_set():
    prepare(Settings(_env_file=None, discord_api_url=API, discord_gateway_url=GATEWAY))
    assert urls() == (API, GATEWAY)


@pytest.mark.parametrize("configured", [{"discord_api_url": API}, {"discord_gateway_url": GATEWAY}])
def test_with_an_untested_series_a_configured_url_is_an_error_that_says_what_to_do(monkeypatch, configured):
    monkeypatch.setattr(discord, "__version__", "2.8.0")
    with pytest.raises(CannotStart, match=r"2\.7\.x; 2\.8\.0 is installed\. Install that series, or remove"):
        prepare(Settings(_env_file=None, **configured))


def test_with_an_untested_series_and_no_configured_url_discord_py_keeps_its_own(monkeypatch):
    monkeypatch.setattr(discord, "__version__", "2.8.0")
    monkeypatch.setattr(discord.http.Route, "BASE", "https://discord.com/api/v11")
    prepare(Settings(_env_file=None))
    assert urls()[0] == "https://discord.com/api/v11"
