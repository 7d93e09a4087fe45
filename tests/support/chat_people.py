"""Fixtures of the people in tests of a chat bot, on the platform that the test is of."""

from typing import Any

import pytest


@pytest.fixture
def platform(request: pytest.FixtureRequest) -> Any:
    """The local server of Telegram or of Discord, whichever the test uses."""
    return request.getfixturevalue("discord" if "discord" in request.fixturenames else "telegram")


@pytest.fixture
def ada(platform: Any) -> Any:
    return platform.person("Ada")


@pytest.fixture
def bob(platform: Any) -> Any:
    return platform.person("Bob")
